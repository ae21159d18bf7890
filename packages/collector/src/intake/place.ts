import { requestAction } from './access-log.ts';
import { addKey } from './application-keys.ts';
import { type Draft, member } from './draft.ts';
import { createItemReader, type ItemFacts } from './item.ts';
import type { IntakeSettings } from './options.ts';
import { createUrlReader, type UrlFacts } from './url.ts';
import type { WireEvent } from './wire.ts';

export interface Place {
  /** What happened. */
  readonly action: string;
  readonly url: UrlFacts | undefined;
}

/** Adds what an event is about: URL, item, file and format. */
export type AddPlace = (draft: Draft, wire: WireEvent, app: string, isLine: boolean) => Place;

export function createPlaces({ limits, patterns }: IntakeSettings): AddPlace {
  const urlOf = createUrlReader(limits.valueBytesMax);
  const itemOf = createItemReader(patterns, limits.itemBytesMax);

  /**
   * The file's own pattern names the item of a download, else the page: the file's mere path
   * would hide which dataset it belongs to.
   */
  const addDownload = (
    draft: Draft,
    wire: WireEvent,
    app: string,
    page: ItemFacts | undefined,
  ): void => {
    const url = wire.file ?? wire.url;
    const file = url === undefined ? undefined : urlOf(url);
    const target = file === undefined ? undefined : itemOf(file, app);
    const byPattern = target?.matched === true ? target.item : undefined;
    const format = wire.format?.toLowerCase() ?? target?.format ?? file?.extension;
    draft.members +=
      member('item', wire.item ?? byPattern ?? wire.pageItem ?? page?.item) +
      member('file.extension', format || 'other') +
      member('file.path', file?.full);
  };

  return (draft, wire, app, isLine) => {
    const url = wire.url === undefined ? undefined : urlOf(wire.url);
    const page = url === undefined ? undefined : itemOf(url, app);
    const action = wire.event ?? (isLine ? requestAction(wire, url, page) : impliedAction(wire));
    draft.members += url?.members ?? '';
    if (action === 'download') {
      addDownload(draft, wire, app, page);
      return { action, url };
    }
    if (wire.pageItem !== undefined) addKey(wire, '"page_item"', wire.pageItem);
    draft.members +=
      member('item', wire.item ?? page?.item) +
      member('file.extension', wire.format?.toLowerCase()) +
      member('file.path', wire.file);
    return { action, url };
  };
}

function impliedAction(wire: WireEvent): 'view' | 'log' {
  return wire.item === undefined && wire.url === undefined ? 'log' : 'view';
}
