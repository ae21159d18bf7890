/**
 * Says where the main thread of the collector spends its time under load, by room.
 *
 *     node bench/profile.ts single|batch|log [SECONDS]
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { number } from './benchmark.ts';
import { type KindName, KINDS, writeRequests } from './requests.ts';
import { startBenchCollector } from './servers.ts';
import { checkWrk, load } from './wrk.ts';

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** The first that matches a frame names its room; what matches none belongs to its caller. */
const ROOMS: readonly (readonly [RegExp, string])[] = [
  [/dist\/intake\/body/u, 'intake: JSON.parse'],
  [/dist\/intake\//u, 'intake'],
  [/dist\/journal\//u, 'journal'],
  [/dist\/(delivery|store)\/|duckdb/u, 'delivery, store'],
  [/dist\/http\/|dist\/salts|dist\/collector/u, 'http: our own'],
  [/node_modules\/prom-client/u, 'prom-client'],
  [/node_modules\/(hono|@hono)/u, 'hono, @hono/node-server'],
  [/^node:(_http|http|internal\/http)/u, 'node: http'],
  [/^node:(net|stream|internal\/(streams|stream_base|js_stream))/u, 'node: sockets, streams'],
  [/^node:internal\/(url|webstreams|abort|deps\/undici)/u, 'node: web API'],
  [/^node:internal\/(timers|process|async_hooks|events)/u, 'node: turns, timers, hooks'],
];

const [name = 'single', seconds = '10'] = process.argv.slice(2);
const kind = KINDS[name as KindName];
checkWrk();
const folder = mkdtempSync(join(tmpdir(), 'metronome-profile-'));
try {
  await profile();
  const [file = ''] = readdirSync(folder).filter((entry) => entry.endsWith('.cpuprofile'));
  print(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function profile(): Promise<void> {
  const requestsFile = join(folder, 'requests');
  writeRequests(kind, requestsFile);
  const collector = await startBenchCollector(join(folder, 'data'), {
    NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}`,
  });
  const { eventsEach } = kind;
  const connections = eventsEach === 1 ? 64 : 8;
  const leg = await load(collector, {
    requestsFile,
    eventsEach,
    connections,
    seconds: Number(seconds),
  });
  console.log(`${number(leg.eventsPerSecond)} events/s, ${number(leg.processorUs, 1)} µs each`);
  await collector.stop();
}

function print({ nodes, samples, timeDeltas }: Profile): void {
  const rooms = roomsOf(nodes);
  const byRoom = new Map<string, number>();
  const byFrame = new Map<string, number>();
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  for (const [index, id] of samples.entries()) {
    const room = rooms.get(id) ?? 'idle';
    if (room === 'idle') continue;
    const time = timeDeltas[index] ?? 0;
    byRoom.set(room, (byRoom.get(room) ?? 0) + time);
    const frame = frames.get(id);
    const label = `${room}\t${frame?.functionName} ${frame?.url.replace(/^.*\/(?=[^/]*\/[^/]*$)/u, '')}`;
    byFrame.set(label, (byFrame.get(label) ?? 0) + time);
  }
  const total = [...byRoom.values()].reduce((sum, time) => sum + time, 0);
  for (const [label, time] of highest(byRoom, 20)) {
    console.log(`| ${label} | ${number((time / total) * 100, 1)} % |`);
  }
  console.log();
  for (const [label, time] of highest(byFrame, 45)) {
    console.log(`${number((time / total) * 100, 1).padStart(5)} %  ${label}`);
  }
}

/** The room of each node: its own, else that of its caller. */
function roomsOf(nodes: readonly ProfileNode[]): ReadonlyMap<number, string> {
  const rooms = new Map<number, string>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const visit = (node: ProfileNode, callers: string): void => {
    const { functionName, url } = node.callFrame;
    const own = ROOMS.find(([pattern]) => pattern.test(url))?.[1];
    const engine = functionName === '(garbage collector)' ? 'garbage collection' : undefined;
    const idle = functionName === '(idle)' ? 'idle' : undefined;
    const program = functionName === '(program)' ? 'native, outside of JavaScript' : undefined;
    const room = engine ?? idle ?? program ?? own ?? callers;
    rooms.set(node.id, room);
    for (const child of node.children ?? []) {
      const found = byId.get(child);
      if (found !== undefined) visit(found, room);
    }
  };
  const [root] = nodes;
  if (root !== undefined) visit(root, 'other');
  return rooms;
}

function highest(times: ReadonlyMap<string, number>, count: number): readonly [string, number][] {
  return [...times].toSorted(([, a], [, b]) => b - a).slice(0, count);
}
