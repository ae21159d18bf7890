import { requestAction } from './access-log.ts';
import { addLeftover } from './application-keys.ts';
import { type Draft, some } from './draft.ts';
import { createPageReader, type PageFacts } from './item.ts';
import type { IntakeSettings } from './options.ts';
import type { WireEvent } from './wire.ts';

export interface Place {
  /** What happened. */
  readonly action: string;
  readonly page: PageFacts | undefined;
}

/** Adds what an event is about: URL, item, file and format. */
type AddPlace = (draft: Draft, wire: WireEvent, app: string, isLine: boolean) => Place;

export function createPlaces({ limits, patterns }: IntakeSettings): AddPlace {
  const pageOf = createPageReader(patterns, limits);

  return (draft, wire, app, isLine) => {
    const page = wire.url === undefined ? undefined : pageOf(wire.url, app);
    const action = wire.event ?? (isLine ? requestAction(wire, page) : impliedAction(wire));
    if (page !== undefined) addUrl(draft, wire, page);
    if (action === 'download') {
      addDownload(draft, wire, page, wire.file === undefined ? page : pageOf(wire.file, app));
    } else addItem(draft, wire, page);
    return { action, page };
  };
}

/** A line of a log has a path, and perhaps the host of its site. */
function addUrl(draft: Draft, wire: WireEvent, page: PageFacts): void {
  draft['url.full'] = page.full;
  draft['url.domain'] = page.host === '' ? some(wire.host?.replace(/:\d+$/u, '')) : page.domain;
  draft['url.path'] = some(page.path);
}

function impliedAction(wire: WireEvent): 'view' | 'log' {
  return wire.item === undefined && wire.url === undefined ? 'log' : 'view';
}

/**
 * A pattern that matches the file names the item of a download, else the page does: the file's
 * mere path would hide which dataset it belongs to.
 */
function addDownload(
  draft: Draft,
  wire: WireEvent,
  page: PageFacts | undefined,
  file: PageFacts | undefined,
): void {
  const byPattern = file?.matched === true ? file.item : undefined;
  const format = wire.format?.toLowerCase() ?? file?.format ?? file?.extension;
  draft.item = some(wire.item ?? byPattern ?? wire.pageItem ?? (page ?? file)?.item);
  draft['file.extension'] = format || 'other';
  draft['file.path'] = file?.full;
}

function addItem(draft: Draft, wire: WireEvent, page: PageFacts | undefined): void {
  draft.item = some(wire.item ?? page?.item);
  draft['file.extension'] = wire.format?.toLowerCase();
  draft['file.path'] = wire.file;
  if (wire.pageItem !== undefined) addLeftover(wire, 'page_item', wire.pageItem);
}
