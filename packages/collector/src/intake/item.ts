import { type BoundedCache, createBoundedCache } from './bounded-cache.ts';
import { type Facts, factsOf } from './draft.ts';
import { compileItemPatterns } from './item-patterns.ts';
import type { EventLimits, ItemPattern } from './options.ts';
import { withoutTrailingSlash } from './path.ts';
import { cut } from './text.ts';
import { readUrl, type UrlFacts } from './url.ts';

/** A URL and which item it is about. */
export interface PageFacts extends UrlFacts {
  /** By a pattern, else the path; empty where the URL has none. */
  readonly item: string;
  /** By a pattern. */
  readonly matched: boolean;
  /** Of the pattern. */
  readonly format: string | undefined;
  /** The URL and its parts. */
  readonly facts: Facts;
  readonly itemFacts: Facts;
}

/** What is asked for often must fit into half of it (see the cache): 15,000 URLs of a busy site. */
const CACHED_MAX = 32_768;
const CACHED_LENGTH_MAX = 512;

/**
 * Reads URLs, for an app: patterns may be of one only. Remembers the URLs that come again; each
 * app that a pattern names has its own memory, all others share one.
 */
export function createPageReader(
  patterns: readonly ItemPattern[],
  limits: EventLimits,
): (url: string, app: string) => PageFacts {
  const match = compileItemPatterns(patterns);
  const others = newCache();
  const caches = new Map(patterns.map(({ app }) => [app, newCache()]));

  const read = (url: string, app: string): PageFacts => {
    const facts = readUrl(url, limits.valueBytesMax);
    const found = match(facts, app);
    const item = cut(found?.item ?? withoutTrailingSlash(facts.path), limits.itemBytesMax);
    return {
      ...facts,
      item,
      matched: found !== undefined,
      format: found?.format,
      facts: factsOf({
        'url.full': facts.full,
        'url.domain': facts.domain,
        'url.path': facts.path,
      }),
      itemFacts: factsOf({ item }),
    };
  };

  return (url, app) => {
    const cache = caches.get(app) ?? others;
    const known = cache.get(url);
    if (known !== undefined) return known;
    const facts = read(url, app);
    cache.set(url, facts);
    return facts;
  };
}

function newCache(): BoundedCache<PageFacts> {
  return createBoundedCache(CACHED_MAX, CACHED_LENGTH_MAX);
}
