import type { Selection } from '../../event-store.ts';
import type { Range } from '../../query/query.ts';
import type { Engine } from './engine.ts';
import { EVENT_SELECTION, toEvent } from './rows.ts';
import { selected } from './select.ts';
import type { Param, Statement } from './session.ts';

/** Events that are sorted and held at once. */
const PIECE_EVENTS = 2_000;

/** Stretches of time that events are counted by to find pieces: days, minutes, milliseconds. */
const WIDTHS_MS = [86_400_000, 60_000, 1] as const;

/**
 * The selected events as at rest, oldest first, in pieces that are read one by one: so no number
 * of events is too large, and nobody has to wait for the reader. What is taken in or erased
 * meanwhile may or may not be among them.
 */
export async function* exported(
  engine: Engine,
  selection: Selection,
): AsyncGenerator<Record<string, unknown>> {
  for await (const piece of piecesOf(engine, selected(selection), WIDTHS_MS)) {
    const rows = await engine.read((session) =>
      session.rows(
        `SELECT ${EVENT_SELECTION} FROM events WHERE ${piece.sql}
         ORDER BY "@timestamp", "journal.collector", "journal.sequence"`,
        piece.params,
      ),
    );
    yield* rows.map(toEvent);
  }
}

/** Stretches of time with so many events at most; an instant that has more is cut by place. */
async function* piecesOf(
  engine: Engine,
  where: Statement,
  [widthMs, ...finer]: readonly number[],
): AsyncGenerator<Statement> {
  if (widthMs === undefined) {
    yield* placesOf(engine, where);
    return;
  }
  const counted = await engine.read((session) =>
    session.rows(
      `SELECT CAST(floor(epoch_ms("@timestamp") / ${widthMs}) AS BIGINT) * ${widthMs}, count(*)
       FROM events WHERE ${where.sql} GROUP BY ALL ORDER BY 1`,
      where.params,
    ),
  );
  let piece = { from: 0, to: 0, events: 0 };
  for (const [start, count] of counted) {
    const [from, events] = [Number(start), Number(count)];
    if (piece.events > 0 && piece.events + events > PIECE_EVENTS) {
      yield within(where, piece);
      piece = { from: 0, to: 0, events: 0 };
    }
    const to = from + widthMs;
    if (events > PIECE_EVENTS) yield* piecesOf(engine, within(where, { from, to }), finer);
    else piece = { from: piece.events > 0 ? piece.from : from, to, events: piece.events + events };
  }
  if (piece.events > 0) yield within(where, piece);
}

/** Stretches of the places of one journal after the other. */
async function* placesOf(engine: Engine, where: Statement): AsyncGenerator<Statement> {
  const starts = await engine.read((session) =>
    session.rows(
      `SELECT "journal.collector", "journal.sequence" FROM events WHERE ${where.sql}
       QUALIFY (row_number() OVER (PARTITION BY "journal.collector" ORDER BY "journal.sequence"))
         % ${PIECE_EVENTS} = 1
       ORDER BY ALL`,
      where.params,
    ),
  );
  for (const [index, [collector, start]] of starts.entries()) {
    const ofOne = and(where, '"journal.collector" =', String(collector));
    const piece = and(ofOne, '"journal.sequence" >=', Number(start));
    const [next, end] = starts[index + 1] ?? [];
    yield next === collector ? and(piece, '"journal.sequence" <', Number(end)) : piece;
  }
}

function within(where: Statement, { from, to }: Range): Statement {
  return and(and(where, '"@timestamp" >=', new Date(from)), '"@timestamp" <', new Date(to));
}

function and({ sql, params }: Statement, test: string, value: Param): Statement {
  return { sql: `${sql} AND ${test} $${params.length + 1}`, params: [...params, value] };
}
