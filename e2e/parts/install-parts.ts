// `npm run parts`: fetches and installs, once, what the tests run against. It says everything
// that is missing, not the first thing alone.
import { ENGINES, ensureBrowsers } from './browsers.ts';
import { elasticsearchHome, javaHome } from './elasticsearch-distribution.ts';

const PARTS = [() => ensureBrowsers(ENGINES), () => javaHome(), () => elasticsearchHome()];

for (const install of PARTS) {
  try {
    await install();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
