import { requestAction } from './access-log.ts';
import { addLeftover } from './application-keys.ts';
import { type Draft, member } from './draft.ts';
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
    if (page !== undefined) draft.members += page.members;
    if (page?.host === '') draft.members += member('url.domain', wire.host?.replace(/:\d+$/u, ''));
    if (action === 'download') {
      addDownload(draft, wire, page, wire.file === undefined ? page : pageOf(wire.file, app));
    } else addItem(draft, wire, page);
    return { action, page };
  };
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
  draft.members +=
    member('item', wire.item ?? byPattern ?? wire.pageItem ?? (page ?? file)?.item) +
    member('file.extension', format || 'other') +
    member('file.path', file?.full);
}

function addItem(draft: Draft, wire: WireEvent, page: PageFacts | undefined): void {
  if (wire.item !== undefined) draft.members += member('item', wire.item);
  else if (page !== undefined) draft.members += page.itemMember;
  if (wire.format !== undefined)
    draft.members += member('file.extension', wire.format.toLowerCase());
  if (wire.file !== undefined) draft.members += member('file.path', wire.file);
  if (wire.pageItem !== undefined) addLeftover(wire, 'page_item', wire.pageItem);
}
