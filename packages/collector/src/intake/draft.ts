import { quote } from './text.ts';

/** A line of the journal while it is written. */
export interface Draft {
  /** Members of a JSON object, each after a comma. */
  members: string;
  tags: readonly string[];
  bot: boolean;
}

/** One member after a comma; nothing for what is absent. */
export function member(key: string, value: string | number | undefined): string {
  if (value === undefined || value === '') return '';
  return `,"${key}":${typeof value === 'string' ? quote(value) : value}`;
}

export function addTag(draft: Draft, tag: string): void {
  if (!draft.tags.includes(tag)) draft.tags = [...draft.tags, tag];
}
