/** The site that is visited, one host for each visitor, and where its pages tell the truth. */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

import { serveLocally } from '../local-server.ts';
import { SCRIPTS_FOLDER } from '../recording-collector.ts';
import type { Ledger } from './ledger.ts';
import { MIX } from './mix.ts';
import type { TabPlan, VisitorPlan } from './plan.ts';
import { leftHtml, visitHtml } from './visit-page.ts';

export interface VisitSite {
  /** The address of a tab of a visit. */
  pageOf(visitor: VisitorPlan, visit: number, tab: 0 | 1): string;
  /** A page of the same origin that tells what a visit has left on the device. */
  leftOf(visitor: VisitorPlan, visit: number): string;
  /** Resolves when the tab is about to do the last of its plan; throws when it never is. */
  ended(visitor: VisitorPlan, visit: number, tab: 0 | 1): Promise<void>;
  /** Resolves when that page has told; throws when it never does. */
  told(visitor: VisitorPlan, visit: number): Promise<void>;
  close(): Promise<void>;
}

const SCRIPTS = ['/metronome.js', '/metronome-vitals.js'];
/** The page asks to be closed, or leaves. */
const ENDS = ['ended', 'bye'];
const PATIENCE_MS = 60_000;

export async function startVisitSite(
  visitors: readonly VisitorPlan[],
  ledger: Ledger,
  endpoint: string,
): Promise<VisitSite> {
  const plans = new Map(visitors.map((visitor) => [visitor.name, visitor]));
  const ends = new Endings();
  const scripts = new Map<string, Buffer>();
  for (const path of SCRIPTS) {
    scripts.set(path, await readFile(new URL(`.${path}`, SCRIPTS_FOLDER)));
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, what = '', visit, tab] = (request.url ?? '').split('/');
    const visitor = plans.get(visitorOf(request.headers.host));
    const script = scripts.get(request.url ?? '');
    if (visitor && ENDS.includes(what)) ends.note(keyOf(visitor, Number(visit), Number(tab)));
    if (script) {
      response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script);
    } else if (request.method === 'POST' && visitor) {
      ledger.told(visitor, Number(visit), what, JSON.parse(await text(request)));
      if (what === 'left') ends.note(keyOf(visitor, Number(visit), 'left'));
      response.writeHead(204).end();
    } else if (what === 'files' || !visitor) {
      response.writeHead(204).end();
    } else {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
      response.end(html(visitor, what, Number(visit), Number(tab)));
    }
  };

  const html = (visitor: VisitorPlan, what: string, visit: number, tab: number): string => {
    if (what === 'left') return leftHtml(visit, tabsOf(visitor, visit));
    const plan = what === 'visit' ? tabOf(visitor, visit, tab) : undefined;
    if (plan === undefined) return '<!doctype html><title>Bye</title>';
    return visitHtml({ visit, tab, plan, haste: MIX.haste }, endpoint);
  };

  const server = await serveLocally((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const { port } = new URL(server.origin);
  const hostOf = ({ name }: VisitorPlan): string => `http://${name}.localhost:${port}`;
  return {
    pageOf: (visitor, visit, tab) => `${hostOf(visitor)}/visit/${visit}/${tab}`,
    leftOf: (visitor, visit) => `${hostOf(visitor)}/left/${visit}`,
    ended: (visitor, visit, tab) => ends.wait(keyOf(visitor, visit, tab)),
    told: (visitor, visit) => ends.wait(keyOf(visitor, visit, 'left')),
    close: server.close,
  };
}

/** By the first label of a host: `v12.localhost:8080`. */
export function visitorOf(host = ''): string {
  return host.replace(/\..*/u, '');
}

function tabOf({ visits }: VisitorPlan, visit: number, tab: number): TabPlan | undefined {
  return tab === 0 ? visits[visit] : visits[visit]?.second;
}

/** Those whose own handlers see their end. */
function tabsOf({ visits }: VisitorPlan, visit: number): number[] {
  const { killAtMs, second } = visits[visit] ?? {};
  if (killAtMs !== undefined) return [];
  return second === undefined ? [0] : [0, 1];
}

function keyOf({ name }: VisitorPlan, visit: number, tab: number | 'left'): string {
  return `${name}/${visit}/${tab}`;
}

/** Which tabs have ended, and who waits for it. */
class Endings {
  readonly #done = new Set<string>();
  readonly #waiting = new Map<string, () => void>();

  note(key: string): void {
    this.#done.add(key);
    this.#waiting.get(key)?.();
  }

  wait(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${key} never ended`)), PATIENCE_MS);
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(key);
        resolve();
      };
      this.#waiting.set(key, settle);
      if (this.#done.has(key)) settle();
    });
  }
}
