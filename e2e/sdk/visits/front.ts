/** Stands between the browsers and a collector, and fails as networks and collectors do. */
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Chance } from '../../chaos/chance.ts';
import { forward } from '../../chaos/outage-proxy.ts';
import { serveLocally } from '../local-server.ts';
import { MIX } from './mix.ts';
import type { Spell, VisitorPlan } from './plan.ts';
import { visitorOf } from './visit-site.ts';

/**
 * - `passed`       as if it were not there
 * - `503`          answered so, and not passed on
 * - `answer lost`  passed on, but the answer does not come back
 * - `unreachable`  the connection breaks off: the visitor is offline, or the collector down
 */
export const FATES = ['passed', '503', 'answer lost', 'unreachable'] as const;
export type Fate = (typeof FATES)[number];

export interface Try {
  /** Epoch ms. */
  readonly at: number;
  readonly fate: Fate;
}

export interface Front {
  readonly origin: string;
  /** Ticks so far. */
  readonly counts: Readonly<Record<Fate, number>>;
  /** What is no tick, by method and path: there should be none. */
  readonly others: ReadonlySet<string>;
  /** The collector does not run. */
  down: boolean;
  /** Replaces the visitor's earlier spells. */
  setOffline(visitor: VisitorPlan, spells: readonly Spell[]): void;
  isReachable(visitor: VisitorPlan): boolean;
  /** How many of the visitor's ticks broke off so far. */
  brokenOff(visitor: VisitorPlan): number;
  /** The ticks that have carried an event so far. */
  triesOf(id: string): readonly Try[];
  close(): Promise<void>;
}

export async function startFront(target: string, chance: Chance): Promise<Front> {
  const counts: Record<Fate, number> = { passed: 0, '503': 0, 'answer lost': 0, unreachable: 0 };
  const others = new Set<string>();
  const offline = new Map<string, readonly Spell[]>();
  const brokenOff = new Map<string, number>();
  const tries = new Map<string, Try[]>();

  const isReachable = (name: string): boolean => {
    const now = Date.now();
    const isOffline = offline.get(name)?.some(({ from, to }) => from <= now && now < to);
    return !front.down && isOffline !== true;
  };
  const fateOf = (name: string): Fate => {
    if (!isReachable(name)) return 'unreachable';
    const luck = chance.next();
    if (luck < MIX.answers503) return '503';
    return luck < MIX.answers503 + MIX.answersLost ? 'answer lost' : 'passed';
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url, headers } = request;
    if (method !== 'POST' || url !== '/tick') others.add(`${method} ${url}`);
    const name = visitorOf(headers.origin?.replace(/^\w+:\/\//u, ''));
    const fate = fateOf(name);
    const carried = idsIn(request);
    const at = Date.now();
    const note = async (became: Fate): Promise<void> => {
      counts[became] += 1;
      if (became === 'unreachable') brokenOff.set(name, (brokenOff.get(name) ?? 0) + 1);
      for (const id of await carried) {
        tries.set(id, [...(tries.get(id) ?? []), { at, fate: became }]);
      }
    };
    if (fate === 'passed' || fate === 'answer lost') {
      forward(target, request, response, fate === 'passed' ? 'pass' : 'lose')
        .once('response', () => void note(fate))
        // The collector was killed meanwhile.
        .once('error', () => void note('unreachable'));
      return;
    }
    await note(fate);
    if (fate === 'unreachable') request.socket.destroy();
    else response.writeHead(503, { 'Access-Control-Allow-Origin': '*', 'Retry-After': '1' }).end();
  };

  const server = await serveLocally((request, response) => void answer(request, response));
  const front: Front = {
    origin: server.origin,
    counts,
    others,
    down: false,
    setOffline: ({ name }, spells) => void offline.set(name, spells),
    isReachable: ({ name }) => isReachable(name),
    brokenOff: ({ name }) => brokenOff.get(name) ?? 0,
    triesOf: (id) => tries.get(id) ?? [],
    close: server.close,
  };
  return front;
}

/** The ids of the events that a tick carries, read beside whoever else reads it. */
async function idsIn(request: IncomingMessage): Promise<string[]> {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  // A page that goes away may break it off.
  await new Promise((resolve) => request.once('close', resolve).once('end', resolve));
  try {
    const events: { id: string }[] = JSON.parse(String(Buffer.concat(parts)));
    return events.map(({ id }) => id);
  } catch {
    return [];
  }
}
