import type { Range } from '../query/query.ts';

/** How long an answer may be shown again, in seconds. */
export const FRESH_S = {
  /** Of days that are over: only events that come late change it. */
  past: 300,
  /** Of a period that is not over: it changes with every event. */
  current: 1,
} as const;

/**
 * `Cache-Control` of an answer about a range; `now` is epoch ms. Whoever needs a token to read gets
 * an answer that only his own cache may keep.
 */
export function cacheControl({ to }: Range, now: number, isGuarded: boolean): string {
  return `${isGuarded ? 'private' : 'public'}, max-age=${to <= now ? FRESH_S.past : FRESH_S.current}`;
}
