import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Builder, By, Capabilities, Key as SeleniumKey, type WebDriver } from 'selenium-webdriver';

import {
  type Browser,
  type ClickOptions,
  type Evaluate,
  goBackByScript,
  type Key,
  type Modifier,
  type Page,
  pollPage,
} from './browser.ts';
import { programPath } from './browser-programs.ts';
import { type Display, virtualDisplay } from './display.ts';
import { freePorts } from './free-ports.ts';
import { type GuardedProcess, spawnGuarded } from './guarded-process.ts';
import { isRoot } from './install.ts';

// WebKitWebDriver has one session at a time, and a session is a profile: so each profile has a
// driver and a MiniBrowser of its own, and only the display is shared.

const START_TIMEOUT_MS = 20_000;
const SCREEN = { x: 0, y: 0, width: 1280, height: 900 };

const KEYS: Record<Key, string> = {
  Enter: SeleniumKey.ENTER,
  Escape: SeleniumKey.ESCAPE,
  Space: ' ',
  Tab: SeleniumKey.TAB,
};

const MODIFIERS: Record<Modifier, string> = {
  Alt: SeleniumKey.ALT,
  Control: SeleniumKey.CONTROL,
  Meta: SeleniumKey.META,
  Shift: SeleniumKey.SHIFT,
};

export async function openWebKit(): Promise<Browser> {
  const display = await virtualDisplay();
  const profiles = new Set<Profile>();
  const start = async (): Promise<Profile> => {
    const profile = await startProfile(display);
    profiles.add(profile);
    void profile.process.ended.then(() => profiles.delete(profile));
    return profile;
  };
  const first = await start();
  let unused: Profile | undefined = first;
  return {
    engine: 'webkit',
    version: String((await first.driver.getCapabilities()).get('browserVersion')),
    capabilities: { otherButtons: false, modifiedClickOpensTab: false, killsTab: false },
    async newPage() {
      const profile = unused ?? (await start());
      unused = undefined;
      return addTab(profile, await profile.driver.getWindowHandle());
    },
    async kill() {
      await Promise.all([...profiles].map(endProfile));
    },
  };
}

type Profile = {
  process: GuardedProcess;
  driver: WebDriver;
  /** The window handles of its tabs, in the order of their opening. */
  tabs: string[];
  /** The calls of the session so far: it has one current tab, so they take turns. */
  turn: Promise<unknown>;
  folder: string;
};

async function startProfile(display: Display): Promise<Profile> {
  const folder = await mkdtemp(join(display.folder, 'webkit-'));
  const [port] = await freePorts(1);
  const server = spawnGuarded(await programPath('webKitDriver'), [`--port=${port}`], {
    folder,
    env: {
      ...process.env,
      DISPLAY: display.name,
      HOME: folder,
      NO_AT_BRIDGE: '1',
      ...(isRoot && { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' }),
    },
  });
  const url = `http://127.0.0.1:${port}`;
  await waitForDriver(server, url);
  const capabilities = new Capabilities({
    browserName: 'MiniBrowser',
    'webkitgtk:browserOptions': {
      binary: await programPath('miniBrowser'),
      args: ['--automation'],
    },
  });
  const driver = await new Builder().usingServer(url).withCapabilities(capabilities).build();
  return { process: server, driver, tabs: [], turn: Promise.resolve(), folder };
}

async function waitForDriver(server: GuardedProcess, url: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (
    !(await fetch(`${url}/status`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (server.hasEnded() || Date.now() > deadline) throw new Error(server.output());
    await delay(50);
  }
}

async function endProfile(profile: Profile): Promise<void> {
  await profile.process.kill();
  await rm(profile.folder, { recursive: true, force: true });
}

function addTab(profile: Profile, handle: string): Page {
  profile.tabs.push(handle);
  const { driver } = profile;
  const evaluate: Evaluate = (
    script: string | ((argument: unknown) => unknown),
    argument?: unknown,
  ) =>
    inTab(profile, handle, () =>
      typeof script === 'string'
        ? driver.executeScript(`return (${script})`)
        : driver.executeScript(`return (${String(script)})(arguments[0])`, argument),
    );
  return {
    evaluate,
    goto: (url) => inTab(profile, handle, () => driver.get(url)),
    click: (selector, options = {}) =>
      inTab(profile, handle, () => click(driver, selector, options)),
    press: (key) => inTab(profile, handle, () => driver.actions().sendKeys(KEYS[key]).perform()),
    goBack: () => goBackByScript(evaluate),
    async newTab(url) {
      const opened = await inTab(profile, handle, async () => {
        // A tab that the driver opens beside this one would never come to the front.
        await driver.switchTo().newWindow('window');
        return driver.getWindowHandle();
      });
      const tab = addTab(profile, opened);
      await tab.show();
      await tab.goto(url);
      return tab;
    },
    async closeTab() {
      profile.tabs = profile.tabs.filter((other) => other !== handle);
      await inTab(profile, handle, () => driver.close());
      const next = profile.tabs.at(-1);
      if (next === undefined) await endProfile(profile);
      else await bringToFront(profile, next);
    },
    kill: () => Promise.reject(new Error("WebKit's driver cannot kill one tab")),
    async hide() {
      await inTab(profile, handle, () => driver.manage().window().minimize());
      await pollPage(evaluate, `document.visibilityState === 'hidden'`);
    },
    async show() {
      await bringToFront(profile, handle);
      await pollPage(evaluate, `document.visibilityState === 'visible'`);
    },
    async resize(width, height) {
      await inTab(profile, handle, () =>
        driver.manage().window().setRect({ x: 0, y: 0, width, height }),
      );
    },
    async screenshot() {
      return Buffer.from(await inTab(profile, handle, () => driver.takeScreenshot()), 'base64');
    },
    dispose: () => endProfile(profile),
  };
}

function inTab<Result>(
  profile: Profile,
  handle: string,
  call: () => Promise<Result>,
): Promise<Result> {
  const result = profile.turn.then(async () => {
    await profile.driver.switchTo().window(handle);
    return call();
  });
  profile.turn = result.catch(() => {});
  return result;
}

/** Tabs are windows here: the others are minimised, as tabs in the background are hidden. */
async function bringToFront(profile: Profile, front: string): Promise<void> {
  const window = profile.driver.manage().window();
  for (const handle of profile.tabs) {
    await inTab(profile, handle, async () => {
      await (handle === front ? window.setRect(SCREEN) : window.minimize());
    });
  }
}

async function click(driver: WebDriver, selector: string, options: ClickOptions): Promise<void> {
  const { button = 'left', modifiers = [] } = options;
  if (button !== 'left') throw new Error(`WebKit's driver cannot click with the ${button} button`);
  const element = driver.findElement(By.css(selector));
  if (modifiers.length === 0) return element.click();
  const actions = driver.actions();
  for (const modifier of modifiers) actions.keyDown(MODIFIERS[modifier]);
  actions.click(element);
  for (const modifier of modifiers) actions.keyUp(MODIFIERS[modifier]);
  await actions.perform();
}
