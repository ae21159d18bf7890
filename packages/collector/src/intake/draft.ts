import type { StoredEvent } from '../event.ts';

/**
 * An event at rest while it is written. All its keys are there from the beginning: what stays
 * undefined is not written, and drafts of one shape are written several times as fast.
 */
export type Draft = {
  -readonly [Key in keyof Omit<StoredEvent, 'labels' | 'metrics' | 'tags'>]-?:
    | StoredEvent[Key]
    | undefined;
} & { tags: readonly string[] | undefined };

/** In the order in which the keys are written. */
export function newDraft(): Draft {
  return {
    '@timestamp': undefined,
    '@version': '1',
    'event.ingested': undefined,
    'event.created': undefined,
    'event.id': undefined,
    'event.action': undefined,
    'service.name': undefined,
    'url.full': undefined,
    'url.domain': undefined,
    'url.path': undefined,
    item: undefined,
    'file.extension': undefined,
    'file.path': undefined,
    'http.request.referrer': undefined,
    referer: undefined,
    'session.id': undefined,
    'user_agent.name': undefined,
    'user_agent.version': undefined,
    'user_agent.os.name': undefined,
    'user_agent.device.type': undefined,
    'user.id': undefined,
    'visitor.daily': undefined,
    title: undefined,
    'page.id': undefined,
    'browser.language': undefined,
    'http.request.method': undefined,
    'browser.web_vital.name': undefined,
    'browser.web_vital.rating': undefined,
    'log.origin.file.name': undefined,
    duration: undefined,
    'http.response.status_code': undefined,
    'browser.web_vital.value': undefined,
    'log.origin.file.line': undefined,
    'log.origin.file.column': undefined,
    message: undefined,
    'error.message': undefined,
    'error.stack_trace': undefined,
    'error.grouping_key': undefined,
    bot: undefined,
    tags: undefined,
  };
}

export function addTag(draft: Draft, tag: string): void {
  if (draft.tags?.includes(tag) !== true) draft.tags = [...(draft.tags ?? []), tag];
}

/** Absent means absent: there are no empty strings at rest. */
export function some(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
