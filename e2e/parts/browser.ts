import { setTimeout as delay } from 'node:timers/promises';

/** Three browser engines, as a test sees them: one interface, and what one of them cannot do. */
export type Engine = 'chromium' | 'firefox' | 'webkit';
export const ENGINES: readonly Engine[] = ['chromium', 'firefox', 'webkit'];

/** What an engine can do beyond the rest of the interface. The method throws where it is false. */
type Capabilities = {
  /** `click` with the middle or right button. WebKit's driver makes left clicks of them. */
  readonly otherButtons: boolean;
  /**
   * A click on a link with Control (or Meta, Shift) opens it elsewhere, as for a user. WebKit's
   * driver sends the modifier with the click, but the link is followed in the same tab.
   */
  readonly modifiedClickOpensTab: boolean;
  /** `Page.kill`. Only Chromium's driver reaches the process of one tab. */
  readonly killsTab: boolean;
};

export type Browser = {
  readonly engine: Engine;
  readonly version: string;
  readonly capabilities: Capabilities;
  /** A tab in a fresh profile: nothing stored, nothing cached. */
  newPage(): Promise<Page>;
  /** SIGKILL to the browser, as when the machine dies. `openBrowser` then starts another. */
  kill(): Promise<void>;
};

export type Key = 'Enter' | 'Escape' | 'Space' | 'Tab';
export type Modifier = 'Alt' | 'Control' | 'Meta' | 'Shift';

export type ClickOptions = {
  button?: 'left' | 'middle' | 'right';
  /** Held down during the click. */
  modifiers?: readonly Modifier[];
};

/** One tab. */
export type Page = {
  /** Resolves when the page has loaded. */
  goto(url: string): Promise<void>;
  /**
   * Runs a function, which sees nothing but its argument, or an expression in the page; promises
   * are awaited. Argument and result are JSON.
   */
  evaluate: Evaluate;
  /** A trusted click on the first element of the selector. Does not wait for a navigation. */
  click(selector: string, options?: ClickOptions): Promise<void>;
  /** A trusted key press on what has the focus. */
  press(key: Key): Promise<void>;
  /** As the browser's back button, through its back/forward cache; resolves on the page before. */
  goBack(): Promise<void>;
  /** Another tab of the same profile, in front of this one, which becomes hidden. */
  newTab(url: string): Promise<Page>;
  /** Closes the tab as a user does; another tab of the profile comes to the front. */
  closeTab(): Promise<void>;
  /** Lets the process of the tab die, so that no handler of the page runs, and closes it. */
  kill(): Promise<void>;
  /** Puts the tab into the background: `visibilityState` is `hidden`. */
  hide(): Promise<void>;
  /** Brings the tab back to the front: `visibilityState` is `visible`. */
  show(): Promise<void>;
  /** The size of the page in CSS pixels; of WebKit that of its window, which is a little more. */
  resize(width: number, height: number): Promise<void>;
  /** A PNG of a tab that is in front. */
  screenshot(): Promise<Uint8Array>;
  /** Ends the profile: all its tabs and what they stored. */
  dispose(): Promise<void>;
};

export type Evaluate = {
  (expression: string): Promise<unknown>;
  <Result>(run: () => Result): Promise<Awaited<Result>>;
  <Argument, Result>(
    run: (argument: Argument) => Result,
    argument: Argument,
  ): Promise<Awaited<Result>>;
};

const NAVIGATION_TIMEOUT_MS = 15_000;
const POLL_INTERVAL_MS = 20;

/** Goes back by script: the drivers' own calls wait for a load that a restored page never fires. */
export async function goBackByScript(evaluate: Evaluate): Promise<void> {
  // A restored page has the time origin of its first load; a pushState entry has another address.
  const place = 'performance.timeOrigin + location.href';
  const before = await evaluate(place);
  await evaluate('history.back()');
  await pollPage(
    evaluate,
    `${place} !== ${JSON.stringify(before)} && document.readyState === 'complete'`,
  );
}

/** Waits until an expression is true, over navigations in between. */
export async function pollPage(evaluate: Evaluate, expression: string): Promise<void> {
  const deadline = Date.now() + NAVIGATION_TIMEOUT_MS;
  // The page that an evaluation began in may go away under it.
  while ((await evaluate(expression).catch(() => false)) !== true) {
    if (Date.now() > deadline) throw new Error(`Never became true in the page: ${expression}`);
    await delay(POLL_INTERVAL_MS);
  }
}
