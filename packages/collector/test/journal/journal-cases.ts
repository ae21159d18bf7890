import type { Step } from './journal-model.ts';

const append = (...lengths: number[]): Step => ({ do: 'append', lengths });
const settle: Step = { do: 'settle' };
const later: Step = { do: 'advance', ms: 1100 };
const fail = (after: number, times: number, part: number): Step => ({
  do: 'fail',
  after,
  times,
  code: 'EIO',
  part,
});

/** Runs that once failed, or would if the journal did less; shrunken. */
export const CASES: readonly { readonly name: string; readonly steps: readonly Step[] }[] = [
  {
    name: 'a torn frame is cut, though its header is whole',
    steps: [append(0), { do: 'crash', after: 0, seed: 669016378 }, append(30)],
  },
  {
    name: 'a segment that could be neither begun nor removed is not in the way of the next',
    steps: [fail(2, 1, 0), fail(1, 1, 0), append(0)],
  },
  {
    name: 'what a killed process wrote is made durable before it is believed',
    steps: [{ do: 'kill', after: 2 }, append(0), { do: 'crash', after: 0, seed: 0 }, append(0)],
  },
  {
    name: 'a ledger line whose write failed is not believed because it can be read',
    steps: [
      append(0),
      fail(1, 1, 0),
      { do: 'reopen' },
      { do: 'consume' },
      { do: 'cut', seed: -572596829 },
    ],
  },
  {
    name: 'a refused frame that could not be cut does not come back over the one that took its place',
    steps: [
      append(1),
      settle,
      fail(0, 4, 1),
      append(2),
      settle,
      later,
      append(3),
      settle,
      { do: 'cut', seed: 20 },
    ],
  },
  {
    name: 'nothing is written after a failed write to the same segment',
    steps: [
      append(0),
      settle,
      fail(0, 2, 1),
      append(0),
      settle,
      later,
      append(0),
      settle,
      { do: 'cut', seed: 1 },
    ],
  },
  {
    name: 'a folder that cannot be unlocked cleanly is unlocked',
    steps: [fail(0, 1, 0), { do: 'reopen' }],
  },
];
