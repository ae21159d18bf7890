import type { ModelEvent, Step } from './delivery-model.ts';

const good: ModelEvent = { id: 0, kind: 'good' };
const bad: ModelEvent = { id: 0, kind: 'bad' };
const poison: ModelEvent = { id: 0, kind: 'poison' };
const append = (...events: ModelEvent[]): Step => ({ do: 'append', events });
const kill = (after: number): Step => ({ do: 'kill', after });

/** Runs that once failed, or would if delivery did less; shrunken. */
export const CASES: readonly { readonly name: string; readonly steps: readonly Step[] }[] = [
  {
    name: 'a reject log that a killed process made is made durable by the next',
    steps: [
      append(good),
      kill(7),
      append(bad, good),
      append(good),
      kill(9),
      append(good),
      { do: 'cut', after: 0, seed: 0 },
      append(good),
    ],
  },
  {
    name: 'after a lost answer the cursor is asked for, not guessed',
    steps: [append(good), { do: 'trouble', troubles: ['after'] }, append(good)],
  },
  {
    name: 'what the store took before it failed is not counted twice',
    steps: [
      append(good, good, { id: 1, kind: 'good' }),
      { do: 'trouble', troubles: ['between', 'between'] },
    ],
  },
  {
    name: 'poison at both ends of a batch, and nothing else, is rejected',
    steps: [append(poison, good, good, bad, good, poison)],
  },
  {
    name: 'poison in two batches that are under way together is looked for in one after the other',
    steps: [
      { do: 'trouble', troubles: ['before'] },
      append(poison, good, good, good),
      append(good, good, poison, good, good, good, good, poison, good, good, good, good),
      append(good, good),
    ],
  },
];
