import { MetronomeError } from '../errors.ts';
import { withoutTrailingSlash } from './path.ts';
import type { ItemPattern } from './options.ts';
import { cleaned } from './text.ts';
import type { UrlFacts } from './url.ts';

interface ItemMatch {
  readonly item: string;
  /** Lower case; present where the pattern has a `:format`. */
  readonly format: string | undefined;
}

type MatchItem = (url: UrlFacts, app: string) => ItemMatch | undefined;

/** Longer paths are matched with no pattern: some patterns take time by the square of it. */
const PATH_LENGTH_MAX = 2048;

/** Groups of a match by their names, still percent-encoded; undefined for no match. */
type Match = (url: UrlFacts) => Readonly<Record<string, string | undefined>> | undefined;

/**
 * Compiles the patterns of the configuration.
 *
 * @throws MetronomeError `config` for one that is not a URLPattern or names no item.
 */
export function compileItemPatterns(patterns: readonly ItemPattern[]): MatchItem {
  const compiled = patterns.map((pattern) => ({
    app: pattern.app,
    match: compile(pattern.pattern),
    template: templateOf(pattern),
  }));
  return (url, app) => {
    if (url.path.length > PATH_LENGTH_MAX) return undefined;
    for (const { app: only, match, template } of compiled) {
      if (only !== undefined && only !== app) continue;
      const groups = match(url);
      const item = groups === undefined ? '' : fill(template, groups);
      if (item !== '') return { item, format: decode(groups?.['format'])?.toLowerCase() };
    }
    return undefined;
  };
}

/** The template in parts: literal, name, literal, and so on. */
function templateOf({ pattern, item }: ItemPattern): readonly string[] {
  const template = item ?? ':item';
  for (const [, name] of template.matchAll(GROUP_NAME)) {
    if (pattern.includes(`:${name}`)) continue;
    throw new MetronomeError(
      'config',
      `The item pattern ${JSON.stringify(pattern)} has no :${name} to name the item with.`,
    );
  }
  return template.split(GROUP_NAME);
}

const GROUP_NAME = /:([A-Za-z_$][\w$]*)/gu;

function fill(
  template: readonly string[],
  groups: Readonly<Record<string, string | undefined>>,
): string {
  let filled = '';
  for (const [index, part] of template.entries()) {
    filled += index % 2 === 0 ? part : (decode(groups[part]) ?? '');
  }
  return filled;
}

function decode(part: string | undefined): string | undefined {
  if (part === undefined || part === '') return undefined;
  try {
    return part.includes('%') ? cleaned(decodeURIComponent(part)) : part;
  } catch {
    // A stray percent sign: not encoded at all.
    return part;
  }
}

function compile(pattern: string): Match {
  const urlPattern = parse(pattern);
  return asPathExpression(urlPattern) ?? byUrlPattern(urlPattern);
}

function parse(pattern: string): URLPattern {
  try {
    return new URLPattern(withEscapedSlashes(pattern), `https://${ANY_HOST}`);
  } catch (cause) {
    const message = `The item pattern ${JSON.stringify(pattern)} is not a URLPattern.`;
    throw new MetronomeError('config', message, { cause });
  }
}

/**
 * URLPattern compiles groups with the `v` flag, in which `[^./]` has to be written `[^.\/]`. The
 * former is how everybody writes it.
 */
function withEscapedSlashes(pattern: string): string {
  return pattern.replace(/\((?:\\.|[^\\)])*\)/gu, (group) =>
    group.replace(/\\.|\//gu, (part) => (part === '/' ? String.raw`\/` : part)),
  );
}

/** Host of the patterns that name none. */
const ANY_HOST = 'any.invalid';

const isRelative = (pattern: URLPattern): boolean => pattern.hostname === ANY_HOST;

/**
 * A pattern of the path alone with nothing but names as a regular expression, because
 * `URLPattern.exec` takes 10 µs and this a hundredth.
 */
function asPathExpression(pattern: URLPattern): Match | undefined {
  if (!isRelative(pattern) || pattern.search !== '*') return undefined;
  const names: string[] = [];
  let source = '';
  let end = 0;
  for (const part of pattern.pathname.matchAll(NAMED_GROUP)) {
    const literal = pattern.pathname.slice(end, part.index);
    end = part.index + part[0].length;
    names.push(part[1] ?? '');
    source += `${escape(literal)}(${part[2] ?? '[^\\/]+?'})`;
  }
  const rest = pattern.pathname.slice(end);
  if (NOT_PLAIN.test(pattern.pathname.replace(NAMED_GROUP, ''))) return undefined;
  const expression = new RegExp(`^${source}${escape(rest)}$`, 'v');
  return (url) => {
    const found = expression.exec(url.path) ?? expression.exec(withoutTrailingSlash(url.path));
    if (found === null) return undefined;
    const groups: Record<string, string | undefined> = {};
    for (const [index, name] of names.entries()) groups[name] = found[index + 1];
    return groups;
  };
}

/** A name, perhaps with an expression that has no group of its own. */
const NAMED_GROUP = /:([A-Za-z_$][\w$]*)(?:\(((?:\\.|[^\\()])*)\))?(?![*+?])/gu;
/** What else has a meaning in a URLPattern. */
const NOT_PLAIN = /[\\{}()*+?:]/u;

function escape(literal: string): string {
  return literal.replace(/[.$^|[\]/]/gu, String.raw`\$&`);
}

function byUrlPattern(pattern: URLPattern): Match {
  const groupsOf = (input: string | URLPatternInit): ReturnType<Match> => {
    const found = pattern.exec(input);
    if (found === null) return undefined;
    return { ...found.hostname.groups, ...found.search.groups, ...found.pathname.groups };
  };
  if (!isRelative(pattern)) return ({ full }) => groupsOf(full);
  const of = (pathname: string, { search }: UrlFacts): ReturnType<Match> =>
    groupsOf({ protocol: 'https', hostname: ANY_HOST, pathname, search: search.slice(1) });
  return (url) => of(url.path, url) ?? of(withoutTrailingSlash(url.path), url);
}
