import { compileItemPatterns } from './item-patterns.ts';
import type { ItemPattern } from './options.ts';
import { cut } from './text.ts';
import type { UrlFacts } from './url.ts';
import { withoutTrailingSlash } from './path.ts';

/** Which item a URL is about. */
export interface ItemFacts {
  /** Empty where the URL has no path. */
  readonly item: string;
  /** By a pattern, not by the mere path. */
  readonly matched: boolean;
  readonly format: string | undefined;
}

/**
 * The item of a URL by the patterns, else its path. Kept with the URL's facts, so that a URL
 * that comes again is matched once for each app that the patterns know.
 */
export function createItemReader(
  patterns: readonly ItemPattern[],
  itemBytesMax: number,
): (url: UrlFacts, app: string) => ItemFacts {
  const match = compileItemPatterns(patterns);
  const apps = new Set(patterns.map((pattern) => pattern.app));
  const known = new WeakMap<UrlFacts, Map<string, ItemFacts>>();

  const read = (url: UrlFacts, app: string): ItemFacts => {
    const found = match(url, app);
    const item = cut(found?.item ?? withoutTrailingSlash(url.path), itemBytesMax);
    return { item, matched: found !== undefined, format: found?.format };
  };

  return (url, app) => {
    const key = apps.has(app) ? app : '';
    let items = known.get(url);
    if (items === undefined) known.set(url, (items = new Map()));
    let facts = items.get(key);
    if (facts === undefined) items.set(key, (facts = read(url, app)));
    return facts;
  };
}
