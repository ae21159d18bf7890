/**
 * Imported before all else. Left to itself, the heap of a collector under load is mostly what
 * nobody needs any more: the engine lets the old generation grow to several times what lives in it,
 * and the young one to 50 MB, as suits a program that has the machine for itself. Held to this it is
 * half as large, for some more work of the collector of garbage: 20 ms now and then.
 */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Of the old generation, over what lived in it after its last collection. */
const OLD_GROWTH_BYTES_MAX = 24 * 1024 ** 2;
/** Of the young generation; beyond it, what is in it would outlive fewer of its collections. */
const YOUNG_BYTES_MAX = 16 * 1024 ** 2;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let isHeld = false;
/** In the old generation after its last collection. */
let livingBytes = Number.POSITIVE_INFINITY;

new PerformanceObserver((list) => {
  const spaces = getHeapSpaceStatistics();
  holdYoung(spaces.find((space) => space.space_name === 'new_space')?.space_size ?? 0);
  const oldBytes = spaces
    .filter(({ space_name: name }) => name === 'old_space' || name === 'large_object_space')
    .reduce((sum, space) => sum + space.space_used_size, 0);
  if (list.getEntries().some(isMajor)) livingBytes = oldBytes;
  else if (oldBytes > livingBytes + OLD_GROWTH_BYTES_MAX) collect();
}).observe({ entryTypes: ['gc'] });

/** The largest size itself can be set only on the command line. */
function holdYoung(bytes: number): void {
  const isLarge = bytes >= YOUNG_BYTES_MAX;
  if (isLarge === isHeld) return;
  isHeld = isLarge;
  setFlagsFromString(`--semi-space-growth-factor=${isLarge ? 1 : 2}`);
}

function isMajor(entry: PerformanceEntry): boolean {
  const { detail } = entry as PerformanceEntry & { readonly detail: { readonly kind: number } };
  return detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
