/** How long a script keeps a slow device busy when it starts. */
import { launch, type Page } from 'puppeteer-core';

import { ensureBrowsers, programPath } from '../../e2e/parts/browser-programs.ts';
import { serveLocally } from '../../e2e/sdk/local-server.ts';

/** Of a processor four times slower than this one. */
export const SLOWDOWN = 4;
export const LOADS = 41;

export interface Started {
  /** One for each turn, in which every script starts once. */
  readonly ms: readonly number[];
  readonly medianMs: number;
  readonly lowMs: number;
  readonly highMs: number;
}

/**
 * Evaluates each of the scripts in fresh pages, one after the other in turns, with a processor that
 * is slowed down. The time is that of compiling and running the script, not of loading it.
 */
export async function measureStarts(
  scripts: Readonly<Record<string, string>>,
): Promise<Record<string, Started>> {
  await ensureBrowsers(['chromium']);
  const site = await serveLocally(({ url = '', method }, response) => {
    if (method === 'POST') return void response.writeHead(202).end('{}');
    const script = scripts[decodeURIComponent(url.slice(1))];
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    response.end(script === undefined ? '' : html(script));
  });
  const browser = await launch({
    executablePath: await programPath('chromium'),
    args: ['--no-sandbox'],
    headless: true,
  });
  const times: Record<string, number[]> = {};
  try {
    for (let load = 0; load < LOADS; load++) {
      for (const name of Object.keys(scripts)) {
        const page = await browser.newPage();
        (times[name] ??= []).push(await timeOf(page, `${site.origin}/${name}`));
        await page.close();
      }
    }
  } finally {
    await browser.close();
    await site.close();
  }
  return Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, spread(ms)]));
}

const html = (script: string): string => `<!doctype html><html lang="en">
<head><meta charset="utf-8"><title>Start</title><link rel="icon" href="data:,"></head>
<body><h1>Start</h1>
<script>globalThis.before = performance.now()</script>
<script>${script.replaceAll('</script', '<\\/script')}</script>
<script>globalThis.took = performance.now() - before</script></body></html>`;

async function timeOf(page: Page, url: string): Promise<number> {
  await page.emulateCPUThrottling(SLOWDOWN);
  await page.goto(url);
  return Number(await page.evaluate('took'));
}

function spread(ms: readonly number[]): Started {
  const sorted = ms.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { ms, medianMs: at(0.5), lowMs: at(0.1), highMs: at(0.9) };
}
