/** How long a script keeps a slow device busy when it starts. */
import { type Browser, launch, type Page } from 'puppeteer-core';

import { ensureBrowsers, programPath } from '../../e2e/parts/browser-programs.ts';
import { serveLocally } from '../../e2e/sdk/local-server.ts';

/** Of a processor four times slower than this one. */
export const SLOWDOWN = 4;
export const LOADS = 41;

export interface Started {
  /** From the script's begin to its end. */
  readonly medianMs: number;
  readonly lowMs: number;
  readonly highMs: number;
  /** Of the processor alone, so that what else runs on the machine matters little: one for each turn. */
  readonly cpuMs: readonly number[];
  readonly cpuMedianMs: number;
}

/**
 * Evaluates each of the scripts in fresh pages, one after the other in turns, with a processor that
 * is slowed down. The time is that of compiling and running the script, not of loading it; that of the
 * processor is measured in pages of its own, for to trace them takes time as well.
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
  const times: Record<string, { ms: number[]; cpuMs: number[] }> = {};
  try {
    for (let load = 0; load < LOADS; load++) {
      for (const name of Object.keys(scripts)) {
        const { ms, cpuMs } = (times[name] ??= { ms: [], cpuMs: [] });
        const url = `${site.origin}/${name}`;
        ms.push(await inPage(browser, (page) => timeOf(page, url)));
        cpuMs.push(await inPage(browser, (page) => processorTimeOf(page, url)));
      }
    }
  } finally {
    await browser.close();
    await site.close();
  }
  return Object.fromEntries(Object.entries(times).map(([name, each]) => [name, spread(each)]));
}

async function inPage(browser: Browser, measure: (page: Page) => Promise<number>): Promise<number> {
  const page = await browser.newPage();
  await page.emulateCPUThrottling(SLOWDOWN);
  const ms = await measure(page);
  await page.close();
  return ms;
}

const html = (script: string): string => `<!doctype html><html lang="en">
<head><meta charset="utf-8"><title>Start</title><link rel="icon" href="data:,"></head>
<body><h1>Start</h1>
<script>globalThis.before = performance.now()</script>
<script>${script.replaceAll('</script', '<\\/script')}</script>
<script>globalThis.took = performance.now() - before</script></body></html>`;

async function timeOf(page: Page, url: string): Promise<number> {
  await page.goto(url);
  return Number(await page.evaluate('took'));
}

/** https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU: `tdur` is in µs. */
interface TraceEvent {
  readonly name: string;
  readonly tdur?: number;
}

async function processorTimeOf(page: Page, url: string): Promise<number> {
  await page.tracing.start({ categories: ['devtools.timeline'] });
  await page.goto(url);
  const trace = await page.tracing.stop();
  const { traceEvents }: { traceEvents: TraceEvent[] } = JSON.parse(
    Buffer.from(trace ?? []).toString(),
  );
  // The page's other scripts are a line each.
  const durations = traceEvents
    .filter(({ name }) => name === 'EvaluateScript')
    .map(({ tdur = Number.NaN }) => tdur);
  return Math.max(...durations) / 1_000;
}

function spread({ ms, cpuMs }: Pick<Started, 'cpuMs'> & { ms: readonly number[] }): Started {
  return {
    medianMs: quantile(ms, 0.5),
    lowMs: quantile(ms, 0.1),
    highMs: quantile(ms, 0.9),
    cpuMs,
    cpuMedianMs: quantile(cpuMs, 0.5),
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}
