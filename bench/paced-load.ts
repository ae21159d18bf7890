/**
 * Posts events at a fixed rate from a process of its own, whatever the answers take (up to
 * `IN_FLIGHT_MAX` of them), and says on its last line of output what became of them.
 *
 *     node bench/paced-load.ts '{"url":"http://127.0.0.1:3000","kind":"batch","rate":100000,"events":2000000}'
 */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from './benchmark.ts';
import { TOKEN } from './events.ts';
import { bodyOf, type KindName, KINDS, type RequestKind } from './requests.ts';

export interface PacedLoad {
  readonly url: string;
  readonly kind: KindName;
  /** Events a second; absent: as many as are answered. */
  readonly rate?: number;
  /** It ends after so many. */
  readonly events: number;
}

export interface PacedLoadSaid {
  /** Events with a 202. */
  readonly acknowledged: number;
  /** Requests with another answer. */
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const IN_FLIGHT_MAX = 16;
const TURN_MS = 2;

const said = await run(JSON.parse(process.argv[2] ?? '') as PacedLoad);
console.log(JSON.stringify(said satisfies PacedLoadSaid));
process.exit();

async function run({ url, kind: name, rate, events }: PacedLoad): Promise<PacedLoadSaid> {
  const kind = KINDS[name];
  const nextBody = bodies(kind);
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT_MAX });
  const total = Math.ceil(events / kind.eventsEach);
  const inFlight = new Set<Promise<void>>();
  const latenciesMs: number[] = [];
  let failed = 0;
  const postOne = async (): Promise<void> => {
    const sent = performance.now();
    const status = await post(`${url}/tick`, agent, kind.contentType, nextBody());
    latenciesMs.push(performance.now() - sent);
    if (status !== 202) failed += 1;
  };
  const start = performance.now();
  for (let begun = 0; begun < total;) {
    const elapsedS = (performance.now() - start) / 1000;
    const due = rate === undefined ? total : Math.floor((elapsedS * rate) / kind.eventsEach);
    for (; begun < Math.min(due, total) && inFlight.size < IN_FLIGHT_MAX; begun++) {
      const posting: Promise<void> = postOne().finally(() => inFlight.delete(posting));
      inFlight.add(posting);
    }
    await delay(TURN_MS);
  }
  await Promise.all(inFlight);
  return {
    acknowledged: (total - failed) * kind.eventsEach,
    failed,
    seconds: (performance.now() - start) / 1000,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
  };
}

/** Makes body after body: of those that were made before, with other ids, or each anew. */
function bodies(kind: RequestKind): () => string {
  const prefix = Math.random().toString(36).slice(2, 8).padEnd(6, '0');
  const split = (n: number): readonly string[] => bodyOf(kind, n, Date.now()).split(TOKEN);
  const made = Number.isFinite(kind.distinct)
    ? Array.from({ length: kind.distinct }, (_, n) => split(n))
    : [];
  let n = 0;
  return () => {
    n += 1;
    const token = `${prefix}${String(n).padStart(TOKEN.length - prefix.length, '0')}`;
    return (made[n % made.length] ?? split(n)).join(token);
  };
}

function post(url: string, agent: Agent, contentType: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
    };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
