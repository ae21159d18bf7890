import type { StoredEvent } from '../event.ts';
import { quote } from './text.ts';

/**
 * An event at rest while it is written: its JSON text as far as it goes. What repeats from event
 * to event, as what a URL or an agent says, is text before (see `factsOf`): a line is then put
 * together of few pieces, in half the time that `JSON.stringify` takes for the whole.
 */
export interface Draft {
  /** Without the brace at its end. */
  text: string;
  bot: boolean;
  tags: readonly string[];
}

/** Members of a line as JSON, each after a comma. */
export type Facts = string;

type KeyOf<Value> = {
  [Key in keyof StoredEvent]-?: StoredEvent[Key] extends Value | undefined ? Key : never;
}[keyof StoredEvent];

/** Times are ISO 8601, which JSON writes as it is. */
export function newDraft(
  event: Pick<StoredEvent, '@timestamp' | 'event.ingested' | 'event.created'>,
): Draft {
  const created = event['event.created'];
  const head = `{"@timestamp":"${event['@timestamp']}","@version":"1","event.ingested":"${event['event.ingested']}"`;
  return {
    text: created === undefined ? head : `${head},"event.created":"${created}"`,
    bot: false,
    tags: NONE,
  };
}

const NONE: readonly string[] = [];

/** Absent means absent: there are no empty strings at rest. */
export function addText(draft: Draft, key: KeyOf<string>, value: string | undefined): void {
  if (value !== undefined && value !== '') draft.text += `,"${key}":${quote(value)}`;
}

/** Takes finite numbers. */
export function addNumber(draft: Draft, key: KeyOf<number>, value: number | undefined): void {
  if (value !== undefined) draft.text += `,"${key}":${value}`;
}

export function addFacts(draft: Draft, facts: Facts): void {
  draft.text += facts;
}

/** What `addFacts` adds, made once for many events. What is undefined or empty is left out. */
export function factsOf(members: {
  readonly [Key in keyof StoredEvent]?: StoredEvent[Key] | undefined;
}): Facts {
  const some = Object.entries(members).filter(([, value]) => value !== undefined && value !== '');
  if (some.length === 0) return '';
  // Joined it is one piece, which is copied faster than one that is put together of two.
  return [',', JSON.stringify(Object.fromEntries(some)).slice(1, -1)].join('');
}

export function addTag(draft: Draft, tag: string): void {
  if (!draft.tags.includes(tag)) draft.tags = [...draft.tags, tag];
}

/**
 * The whole line.
 *
 * @param labels the application's own keys as `ApplicationKeys` has them; so are `metrics`
 */
export function lineOf({ text, bot, tags }: Draft, labels: string, metrics: string): string {
  const marked = bot ? `${text},"bot":true` : text;
  const tagged = tags.length === 0 ? marked : `${marked},"tags":${JSON.stringify(tags)}`;
  if (labels === '') return `${tagged}}`;
  return metrics === '' ? `${tagged}${labels}}}` : `${tagged}${labels}}${metrics}}}`;
}
