import type { EventStore, PlaceCount, Tally } from '../../event-store.ts';
import { checkQuery } from '../../query/check-query.ts';
import { askWithOthers, stepsOf } from '../../query/others.ts';
import { checkScan } from '../../query/scan.ts';
import { append, position } from './append.ts';
import { compileScan } from './compile.ts';
import type { DatabaseOptions } from './database.ts';
import { Engine } from './engine.ts';
import { erase } from './erase.ts';
import { expire } from './expire.ts';
import { exported } from './export.ts';
import { Questions, shown } from './questions.ts';
import { declaredRollups } from './declared-rollup.ts';
import type { DeclaredQuery } from '../../query/declared.ts';
import { Rollups } from './rollups.ts';
import { toRows } from './rows.ts';
import { scrub } from './scrub.ts';

export interface DuckdbOptions extends DatabaseOptions {
  /** Epoch ms. Which days are over; default: the machine's clock. */
  readonly now?: () => number;
  /** What the application declares: some of it with a rollup. */
  readonly queries?: Readonly<Record<string, DeclaredQuery>>;
  /** See `Declared`. Default: false. */
  readonly keepsUndeclared?: boolean;
  /** Events after which the file is opened anew; see `Engine.renew`. Default: a million. */
  readonly renewedAfterEvents?: number;
}

/** They take some 10 MB, and to open the file takes a tenth of a second. */
const RENEWED_AFTER_EVENTS = 1_000_000;
/** While queries are under way it is put off until it is so many times as many. */
const RENEWED_LATER = 4;

/**
 * The embedded store: one DuckDB file, `metronome.duckdb`, in the data folder. Events, cursor and
 * tally move in one transaction, so a crash at any point leaves them in step; what is appended is
 * visible at once.
 */
export function openDuckdbStore({
  now = Date.now,
  queries = {},
  keepsUndeclared = false,
  renewedAfterEvents = RENEWED_AFTER_EVENTS,
  ...options
}: DuckdbOptions): EventStore {
  const engine = new Engine(options);
  const rollups = new Rollups(engine, declaredRollups(queries), keepsUndeclared);
  const questions = new Questions(engine, rollups);
  /** Since the file was opened. */
  let written = 0;
  return {
    // What it does with a batch takes all of a core: there is no gap to fill.
    appendsAtOnce: 1,
    cursor: async (collector) => {
      const { next } = await engine.read((session) => position(session, collector));
      return next;
    },
    async append(batch, keepRejects) {
      // What is asked meanwhile would wait for what is under way.
      if (written >= (engine.isQuiet ? 1 : RENEWED_LATER) * renewedAfterEvents) {
        written = 0;
        await engine.renew();
      }
      const appended = await rollups.storing(() => append(engine, batch, keepRejects));
      written += appended.stored;
      return appended;
    },
    tallies: (collector) => tallies(engine, collector),
    async query(query) {
      checkQuery(query);
      return askWithOthers(query, (part) => questions.ask(part));
    },
    async isCountedAhead(query, eventsMax) {
      checkQuery(query);
      return rollups.isCountedAhead(query, eventsMax);
    },
    async countsFrom(query) {
      checkQuery(query);
      return rollups.countsFrom(query);
    },
    async *scan(scan) {
      checkScan(scan);
      yield* await engine.read(async (session) => {
        const compiled = compileScan(scan, await rollups.planScan(session, scan));
        return toRows(await session.ask(compiled), compiled, 'UTC');
      });
    },
    async explain(question) {
      if ('measures' in question) {
        checkQuery(question);
        const steps = await Promise.all(stepsOf(question).map((one) => questions.explain(one)));
        return steps.join('\n-- The others: what is in no row, whose values then come in here.\n');
      }
      checkScan(question);
      return engine.read(async (session) =>
        shown(compileScan(question, await rollups.planScan(session, question))),
      );
    },
    places: (collector, ranges) => places(engine, collector, ranges),
    erase: (selection) => erase(engine, rollups, selection),
    expire: (before, countsBefore) => expire(engine, rollups, before, { countsBefore }),
    export: (selection) => exported(engine, selection),
    // One collector owns the file, and keeps its salts itself.
    salt: (_day, proposal) => Promise.resolve(proposal),
    forgetSalts: () => Promise.resolve(),
    async maintain(signal) {
      await rollups.keepUp(now(), signal);
      if (!signal.aborted) await scrub(engine, rollups.all);
    },
    rollups: () => rollups.progress(),
    rebuildRollup: (name) => rollups.rebuild(name),
    refresh: () => Promise.resolve(),
    check: () => engine.read((session) => session.run('SELECT 1 FROM tallies LIMIT 1')),
    close: () => engine.close(),
  };
}

async function tallies(engine: Engine, collector: string): Promise<readonly Tally[]> {
  const rows = await engine.read((session) =>
    session.rows(
      `SELECT segment, last, stored, duplicates, rejected, erased, expired
       FROM tallies WHERE collector = $1 ORDER BY segment`,
      [collector],
    ),
  );
  return rows.map((row) => {
    const [
      segment = 0,
      last = 0,
      stored = 0,
      duplicates = 0,
      rejected = 0,
      erased = 0,
      expired = 0,
    ] = row.map(Number);
    return { segment, last, stored, duplicates, rejected, erased, expired };
  });
}

function places(
  engine: Engine,
  collector: string,
  ranges: readonly Omit<PlaceCount, 'stored'>[],
): Promise<readonly PlaceCount[]> {
  return engine.read(async (session) => {
    const counts: PlaceCount[] = [];
    for (const { first, last } of ranges) {
      const rows = await session.rows(
        `SELECT count(*) FROM events
         WHERE "journal.collector" = $1 AND "journal.sequence" BETWEEN $2 AND $3`,
        [collector, first, last],
      );
      counts.push({ first, last, stored: Number(rows[0]?.[0]) });
    }
    return counts;
  });
}
