import { access, glob } from 'node:fs/promises';

import { chromium } from 'playwright';

import type { Engine } from './browser.ts';
import { findCommand, installPackages } from './install.ts';

/** A program that an engine needs: how to find it, and the Debian package that has it. */
type Program = { debian: string; find: () => Promise<string | undefined> };

const PROGRAMS = {
  chromium: { debian: 'chromium', find: findChromium },
  firefox: { debian: 'firefox-esr', find: () => findFirst('firefox-esr', 'firefox') },
  webKitDriver: { debian: 'webkit2gtk-driver', find: () => findFirst('WebKitWebDriver') },
  miniBrowser: { debian: 'webkit2gtk-driver', find: findMiniBrowser },
  xvfb: { debian: 'xvfb', find: () => findFirst('Xvfb') },
  windowManager: { debian: 'jwm', find: () => findFirst('jwm') },
} satisfies Record<string, Program>;

export type ProgramName = keyof typeof PROGRAMS;

const PROGRAMS_OF: Record<Engine, readonly ProgramName[]> = {
  chromium: ['chromium'],
  firefox: ['firefox'],
  webkit: ['webKitDriver', 'miniBrowser', 'xvfb', 'windowManager'],
};

/**
 * Installs what the engines need and is missing, when root on a machine with apt.
 * @throws Error that names the missing packages, where it cannot
 */
export async function ensureBrowsers(engines: readonly Engine[]): Promise<void> {
  const missing = new Set<string>();
  for (const name of engines.flatMap((engine) => PROGRAMS_OF[engine])) {
    if (!(await PROGRAMS[name].find())) missing.add(PROGRAMS[name].debian);
  }
  await installPackages([...missing], `for the tests in ${engines.join(', ')}`);
}

/** The path of an installed program. */
export async function programPath(name: ProgramName): Promise<string> {
  const path = await PROGRAMS[name].find();
  if (!path) throw new Error(`Not found although it is installed: ${PROGRAMS[name].debian}`);
  return path;
}

async function findFirst(...commands: string[]): Promise<string | undefined> {
  const paths = await Promise.all(commands.map(findCommand));
  return paths.find((path) => path !== undefined);
}

/** Playwright's own, where a developer has it (`npx playwright install chromium`), is preferred. */
async function findChromium(): Promise<string | undefined> {
  const path = chromium.executablePath();
  return access(path).then(
    () => path,
    () => findFirst('chromium', 'chromium-browser', 'google-chrome'),
  );
}

async function findMiniBrowser(): Promise<string | undefined> {
  for await (const path of glob('/usr/lib{,64,/*}/webkit2gtk-4.*/MiniBrowser')) return path;
  return undefined;
}
