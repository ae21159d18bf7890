import { setTimeout as delay } from 'node:timers/promises';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  launch,
  type Browser as PuppeteerBrowser,
  type BrowserContext,
  type LaunchOptions,
  type Page as PuppeteerPage,
} from 'puppeteer-core';

import {
  type Browser,
  type ClickOptions,
  type Evaluate,
  goBackByScript,
  pollPage,
} from './browser.ts';
import type { Page } from './browser.ts';
import { programPath } from './browser-programs.ts';
import { endWithThisProcess, killGroup } from './guarded-process.ts';

// Chromium is driven by puppeteer as Firefox is, not by Playwright, under which every tab is
// always visible.

/**
 * Headless Chromium says so in its user agent, which is how a bot looks; a visitor does not. It is
 * set for the whole process, because what outlives a page is sent without the page's overrides.
 */
const CHROMIUM_USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36';

export async function openChromium(): Promise<Browser> {
  return wrapBrowser('chromium', {
    browser: 'chrome',
    executablePath: await programPath('chromium'),
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      `--user-agent=${CHROMIUM_USER_AGENT}`,
    ],
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}

export async function openFirefox(): Promise<Browser> {
  return wrapBrowser('firefox', {
    browser: 'firefox',
    executablePath: await programPath('firefox'),
    // To paint the tab behind at once, the hang monitor interrupts scripts of its process: about
    // half of the tabs closed here lost their pagehide handler that way.
    extraPrefsFirefox: { 'dom.ipc.processHangMonitor': false },
  });
}

async function wrapBrowser(
  engine: 'chromium' | 'firefox',
  options: LaunchOptions,
): Promise<Browser> {
  const userDataDir = await mkdtemp(join(tmpdir(), `metronome-${engine}-`));
  const browser = await launch({ ...options, headless: true, userDataDir });
  const program = browser.process();
  if (!program) throw new Error(`${engine} runs in no process of its own`);
  endWithThisProcess(program, userDataDir);
  return {
    engine,
    version: await browser.version(),
    capabilities: {
      otherButtons: true,
      modifiedClickOpensTab: true,
      killsTab: engine === 'chromium',
    },
    newPage: () => newPage(browser),
    async kill() {
      const gone = once(program, 'exit');
      killGroup(program);
      await gone;
      await rm(userDataDir, { recursive: true, force: true });
    },
  };
}

async function newPage(browser: PuppeteerBrowser): Promise<Page> {
  const context = await browser.createBrowserContext();
  return wrapPage(context, await context.newPage());
}

function wrapPage(context: BrowserContext, page: PuppeteerPage): Page {
  const evaluate: Evaluate = (run: string | ((argument: unknown) => unknown), argument?: unknown) =>
    page.evaluate(run, argument);
  const becomes = (state: string): Promise<void> =>
    pollPage(evaluate, `document.visibilityState === '${state}'`);
  let cover: PuppeteerPage | undefined;
  return {
    evaluate,
    async goto(url) {
      await page.goto(url);
    },
    click: (selector, options = {}) => click(page, selector, options),
    press: (key) => page.keyboard.press(key),
    goBack: () => goBackByScript(evaluate),
    async newTab(url) {
      const tab = wrapPage(context, await context.newPage());
      await tab.goto(url);
      await becomes('hidden');
      return tab;
    },
    closeTab: () => page.close(),
    kill: () => killTab(page),
    async hide() {
      cover ??= await context.newPage();
      await cover.bringToFront();
      await becomes('hidden');
    },
    async show() {
      await page.bringToFront();
      await becomes('visible');
      await cover?.close();
      cover = undefined;
    },
    resize: (width, height) => page.setViewport({ width, height }),
    screenshot: () => page.screenshot(),
    dispose: () => context.close(),
  };
}

async function click(page: PuppeteerPage, selector: string, options: ClickOptions): Promise<void> {
  const { button = 'left', modifiers = [] } = options;
  for (const modifier of modifiers) await page.keyboard.down(modifier);
  await page.click(selector, { button });
  for (const modifier of modifiers) await page.keyboard.up(modifier);
}

async function killTab(page: PuppeteerPage): Promise<void> {
  // Of BiDi, by which Firefox is driven, there is no such session.
  const devtools = await page.createCDPSession();
  // The crash is told in several ways, of which none always comes.
  const told = [
    new Promise((resolve) => page.once('error', resolve)),
    new Promise((resolve) => devtools.once('Inspector.targetCrashed', resolve)),
    // There is nobody left to answer it.
    devtools.send('Page.crash').catch(() => {}),
  ];
  await Promise.race([...told, delay(killMsMax)]);
  await Promise.race([page.close().catch(() => {}), delay(killMsMax)]);
}

/** What is left of a tab that was killed may never answer. */
const killMsMax = 5_000;
