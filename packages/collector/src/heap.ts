/**
 * Imported before all else. Left to itself, the heap of a collector under load is mostly what
 * nobody needs any more: the engine lets the old generation grow to several times what lives in it,
 * and the young one to 50 MB, as suits a program that has the machine for itself. Held to this it is
 * half as large, for some more work of the collector of garbage.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Over what lives in it after a collection. */
const OLD_GROWTH_PERCENT = 50;
/** Of the young generation; beyond it, what is in it would outlive fewer of its collections. */
const YOUNG_BYTES_MAX = 16 * 1024 ** 2;

let isHeld = false;

setFlagsFromString(`--heap-growing-percent=${OLD_GROWTH_PERCENT}`);
// The largest size itself can be set only on the command line.
new PerformanceObserver(() => {
  const size = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  const isLarge = size !== undefined && size.space_size >= YOUNG_BYTES_MAX;
  if (isLarge === isHeld) return;
  isHeld = isLarge;
  setFlagsFromString(`--semi-space-growth-factor=${isLarge ? 1 : 2}`);
}).observe({ entryTypes: ['gc'] });
