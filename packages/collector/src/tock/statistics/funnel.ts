import { z } from 'zod';
import type { DeclaredFunnel } from '../../query/declared.ts';
import type { Row } from '../../query/query.ts';
import { allOf } from '../filters.ts';
import { ofPeriod } from '../parameters.ts';
import { countSchema, sampled } from '../schemas.ts';
import { readHistories, sampleNote } from '../sessions.ts';
import type { Statistic } from '../statistic.ts';

const MINUTE_MS = 60_000;

const schema = z.object({
  steps: z.array(z.object({ step: z.string(), visitors: countSchema, share: z.number() })),
  ...sampled,
});

/**
 * A declared funnel: how many visitors took its first step, and how many of them then the next
 * ones in this order, each by another event, within `withinMinutes` of the first where it is
 * given. `share` is of the first step. Of an item or prefix only its own events are steps.
 *
 * Read from at most 10,000 visitors, those with the newest first step, and 200,000 of their
 * events; `sample` says so.
 */
export function funnel({
  steps,
  withinMinutes = Infinity,
  meaning = `How many visitors took each of the steps: ${steps.map(({ name }) => name).join(', ')}.`,
}: DeclaredFunnel): Statistic {
  const marks = Object.fromEntries(steps.map(({ filter }, index) => [`step${index}`, filter]));
  const names = Object.keys(marks);
  const anyStep = { kind: 'or', filters: steps.map(({ filter }) => filter) } as const;
  return {
    meaning,
    parameters: ofPeriod,
    schema,
    async answer(store, asked) {
      const having = allOf({ kind: 'exists', field: 'visitor' }, steps[0]?.filter, asked.filter);
      const histories = await readHistories(store, {
        fields: ['time'],
        marks,
        filter: allOf(anyStep, asked.filter),
        range: asked.range,
        having,
      });
      const reached = histories.visitors.map((events) =>
        furthestStep(events, names, withinMinutes * MINUTE_MS),
      );
      return {
        steps: steps.map(({ name }, index) => {
          const visitors = reached.filter((step) => step > index).length;
          return { step: name, visitors, share: visitors / Math.max(1, reached.length) };
        }),
        ...(await sampleNote(store, histories, asked, having)),
      };
    },
  };
}

/** How many steps a visitor took: for each step the latest start of a way that has come so far. */
function furthestStep(events: readonly Row[], marks: readonly string[], withinMs: number): number {
  const starts: number[] = [];
  for (const event of events) {
    const time = Number(event['time']);
    // From the last to the first, so that one event is not two steps.
    for (let step = marks.length - 1; step >= 0; step--) {
      if (event[marks[step] ?? ''] !== 1) continue;
      const start = step === 0 ? time : starts[step - 1];
      if (start !== undefined && time - start <= withinMs) starts[step] = start;
    }
  }
  return starts.length;
}
