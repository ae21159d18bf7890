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
  close(): Promise<void>;
}

export async function startFront(target: string, chance: Chance): Promise<Front> {
  const counts: Record<Fate, number> = { passed: 0, '503': 0, 'answer lost': 0, unreachable: 0 };
  const others = new Set<string>();
  const offline = new Map<string, readonly Spell[]>();
  const brokenOff = new Map<string, number>();

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

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, url, headers } = request;
    if (method !== 'POST' || url !== '/tick') others.add(`${method} ${url}`);
    const name = visitorOf(headers.origin?.replace(/^\w+:\/\//u, ''));
    const fate = fateOf(name);
    counts[fate] += 1;
    if (fate === 'unreachable') {
      brokenOff.set(name, (brokenOff.get(name) ?? 0) + 1);
      request.socket.destroy();
    } else if (fate === '503') {
      request.resume();
      response.writeHead(503, { 'Access-Control-Allow-Origin': '*', 'Retry-After': '1' }).end();
    } else {
      forward(target, request, response, fate === 'passed' ? 'pass' : 'lose');
    }
  };

  const server = await serveLocally(answer);
  const front: Front = {
    origin: server.origin,
    counts,
    others,
    down: false,
    setOffline: ({ name }, spells) => void offline.set(name, spells),
    isReachable: ({ name }) => isReachable(name),
    brokenOff: ({ name }) => brokenOff.get(name) ?? 0,
    close: server.close,
  };
  return front;
}
