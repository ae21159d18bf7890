/** The pages that are visited: they do what was planned, and tell the truth beside the SDK. */
import type { Metronome } from '../../../packages/sdk/src/tracker.ts';
import type { Action, TabPlan } from './plan.ts';

/** One event, as the SDK hands it to `beforeSend`. */
export interface Note {
  readonly id: string;
  readonly event: string;
  /** Of a `dropped` event: how many were given up. */
  readonly value?: number;
}

/** What the pages of one visit leave on the device. */
export interface Left {
  /** Of events that a page could not tell of, because it was going. */
  readonly notes: readonly Note[];
  /** Ids of the events that wait for the visitor's return. */
  readonly waiting: readonly string[];
}

export interface VisitOptions {
  readonly visit: number;
  readonly tab: number;
  readonly plan: TabPlan;
  readonly haste: number;
}

declare const metronome: Metronome;

/** A measured page, which acts by itself. */
export const visitHtml = (options: VisitOptions, endpoint: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>A visit</title>
<script>(${String(actOut)})(${JSON.stringify(options)})</script>
<script defer src="/metronome.js" data-endpoint="${endpoint}"></script></head>
<body><h1>Trees</h1><a href="/files/trees.csv">Data</a></body></html>`;

/** A page that is not measured, and tells what others have left behind, once these tabs are gone. */
export const leftHtml = (visit: number, tabs: readonly number[]): string => `<!doctype html>
<title>Left</title><script>(${String(tellLeft)})(${visit}, ${JSON.stringify(tabs)})</script>`;

/** Runs in the page, before the SDK, and sees nothing but its argument. */
function actOut({ visit, tab, plan, haste }: VisitOptions): void {
  const later = window.setTimeout.bind(window);
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  Object.assign(window, {
    setTimeout: (run: () => void, ms = 0) => later(run, ms >= 1_000 ? ms / haste : ms),
  });
  AbortSignal.timeout = (ms) => timeout(ms / haste);

  /** True when it has arrived. */
  const tell = (path: string, body: unknown): boolean => {
    try {
      const request = new XMLHttpRequest();
      request.open('POST', path, false);
      request.send(JSON.stringify(body));
      return request.status === 204;
    } catch {
      return false;
    }
  };
  const notes: Note[] = [];
  const tellNotes = (): void => {
    if (notes.length === 0) return;
    const key = `truth ${JSON.stringify(notes)}`;
    const body = notes.splice(0);
    localStorage[key] = '';
    if (!going && tell(`/truth/${visit}`, body)) delete localStorage[key];
  };
  // A page that is going cannot wait for an answer: it leaves its notes to the next.
  let going = false;
  addEventListener('pagehide', () => (going = true), true);
  const beforeSend = (event: Record<string, unknown>): Record<string, unknown> => {
    const { id, event: name, value } = event;
    notes.push({ id, event: name, value } as Note);
    // While the page lives told when the SDK has the event as well, for telling takes long. At its
    // end at once: each moment may be the last, and Firefox has no microtasks any more.
    if (going) tellNotes();
    else if (notes.length === 1) queueMicrotask(tellNotes);
    return event;
  };
  Object.assign(window, { metronome: { q: [], options: { beforeSend } } });

  let n = 0;
  const act = ({ what, events = 1, bytes = 0 }: Action): void => {
    n++;
    if (what === 'push') history.pushState(null, '', `/visit/${visit}/${tab}/${n}`);
    if (what === 'download') document.querySelector('a')?.click();
    if (what === 'error') {
      later(() => {
        throw new Error(`on purpose ${n}`);
      });
    }
    if (what === 'beat') {
      const text = 'x'.repeat(bytes);
      for (let count = 0; count < events; count++) metronome.track('beat', { n, text });
    }
  };
  const last = plan.hasty ? plan.actions.at(-1) : undefined;
  let acted = false;
  const end = (): void => {
    if (last && !acted) act(last);
    acted = true;
    if (plan.end === 'leave') location.href = `/bye/${visit}/${tab}`;
    else if (tell(`/ended/${visit}/${tab}`, null)) return;
    // A click on a link a moment ago may have won over it.
    later(end, 1_000);
  };
  addEventListener('load', () => {
    // After the SDK's own listeners.
    addEventListener('pagehide', () => {
      tellNotes();
      localStorage[`gone ${visit}/${tab}`] = '';
    });
    for (const action of plan.actions) if (action !== last) later(() => act(action), action.atMs);
    later(end, plan.ms);
  });
}

function tellLeft(visit: number, tabs: readonly number[]): void {
  // What closes a tab does not wait for its handlers; where they never run, nor does this.
  const deadline = Date.now() + 10_000;
  const look = (): void => {
    const gone = tabs.every((tab) => `gone ${visit}/${tab}` in localStorage);
    // `visibilitychange` follows on `pagehide`.
    if (gone || Date.now() > deadline) setTimeout(tell, 200);
    else setTimeout(look, 50);
  };
  const tell = (): void => {
    const notes: unknown[] = [];
    const waiting: unknown[] = [];
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith('truth ')) notes.push(...JSON.parse(key.slice(6)));
      else if (key.includes('{')) waiting.push(JSON.parse(key.slice(key.indexOf('{'))).id);
    }
    const request = new XMLHttpRequest();
    request.open('POST', `/left/${visit}`, false);
    request.send(JSON.stringify({ notes, waiting }));
  };
  look();
}
