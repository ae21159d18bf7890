import type { EventStore } from '../event-store.ts';
import type { Query } from '../query/query.ts';
import type { Scan } from '../query/scan.ts';
import { answerRequest, type AnswerRules } from './answer-request.ts';
import { eventsRead, withEventLimit } from './event-limit.ts';
import { onlyApp } from './only-app.ts';
import type { Request } from './request.ts';
import type { CountingReader, Reader, Statistic } from './statistic.ts';

/** One question that a statistic put to the store. */
export interface Step {
  /** As the engine gets it: SQL, or search bodies as JSON. */
  readonly question: string;
  /** Events that the store looked at, at most. */
  readonly events: number;
  readonly rows: number;
  /** Milliseconds until the last row was there; of questions put together, each with the others. */
  readonly ms: number;
}

/** Answers a request, and tells what the store was asked for it, in the order of asking. */
export async function explainRequest(
  store: CountingReader & Pick<EventStore, 'explain'>,
  statistic: Statistic,
  request: Request,
  now: number,
  rules: AnswerRules,
): Promise<readonly Step[]> {
  const limited = withEventLimit(store, rules.queryEventsMax);
  const { reader, measured } = measuring(limited);
  const ahead = {
    isCountedAhead: store.isCountedAhead.bind(store),
    countsFrom: store.countsFrom.bind(store),
  };
  const app = request.app ?? (await onlyApp(store, now, rules.sites));
  await answerRequest({ ...ahead, ...reader }, statistic, { ...request, app }, now, {
    ...rules,
    queryEventsMax: 0,
  });
  const [explained, read] = await Promise.all([
    Promise.all(measured.map(({ question }) => store.explain(question))),
    Promise.all(measured.map(({ question }) => eventsRead(store, question))),
  ]);
  return measured.map(({ rows, ms }, index) => {
    return { question: explained[index] ?? '', events: read[index] ?? 0, rows, ms };
  });
}

interface Measured extends Pick<Step, 'rows' | 'ms'> {
  readonly question: Query | Scan;
}

/** A store that notes what it is asked. */
function measuring(store: Reader) {
  const measured: Measured[] = [];
  const begin = (question: Query | Scan): ((rows: number) => void) => {
    const startedAt = performance.now();
    const at = measured.push({ question, rows: 0, ms: 0 }) - 1;
    return (rows) => (measured[at] = { question, rows, ms: performance.now() - startedAt });
  };
  const reader: Reader = {
    async query(query) {
      const end = begin(query);
      const rows = await store.query(query);
      end(rows.length);
      return rows;
    },
    async *scan(scan) {
      const end = begin(scan);
      let rows = 0;
      for await (const row of store.scan(scan)) {
        rows++;
        yield row;
      }
      end(rows);
    },
  };
  return { reader, measured };
}
