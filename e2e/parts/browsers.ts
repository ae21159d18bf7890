import type { Browser, Engine } from './browser.ts';
import { ensureBrowsers } from './browser-programs.ts';
import { openChromium, openFirefox } from './puppeteer-browser.ts';
import { openWebKit } from './webkit-browser.ts';

export * from './browser.ts';
export { ensureBrowsers };

const OPENERS: Record<Engine, () => Promise<Browser>> = {
  chromium: openChromium,
  firefox: openFirefox,
  webkit: openWebKit,
};

const opened = new Map<Engine, Promise<Browser>>();

/**
 * The browser of an engine, started by the first call in this process and ended with the process.
 * Installs what is missing, when root on a machine with apt.
 * @throws Error that names the missing packages, where it cannot install them
 */
export function openBrowser(engine: Engine): Promise<Browser> {
  const running = opened.get(engine) ?? startBrowser(engine);
  opened.set(engine, running);
  return running;
}

async function startBrowser(engine: Engine): Promise<Browser> {
  try {
    await ensureBrowsers([engine]);
    const browser = await OPENERS[engine]();
    const kill = async (): Promise<void> => {
      opened.delete(engine);
      await browser.kill();
    };
    return { ...browser, kill };
  } catch (error) {
    opened.delete(engine);
    throw error;
  }
}
