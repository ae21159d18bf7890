import { requestAction } from './access-log.ts';
import { addLeftover } from './application-keys.ts';
import { addFacts, addText, type Draft } from './draft.ts';
import { createPageReader, type PageFacts } from './item.ts';
import type { IntakeSettings } from './options.ts';
import type { WireEvent } from './wire.ts';

export interface Place {
  /** What happened. */
  readonly action: string;
  readonly page: PageFacts | undefined;
  /** Of a download, where it has a URL of its own. */
  readonly file: PageFacts | undefined;
}

interface Places {
  placeOf(wire: WireEvent, app: string, isLine: boolean): Place;
  /** Adds what an event is about: URL, item, file and format. */
  addPlace(draft: Draft, wire: WireEvent, place: Place): void;
}

export function createPlaces({ limits, patterns }: IntakeSettings): Places {
  const pageOf = createPageReader(patterns, limits);

  return {
    placeOf(wire, app, isLine) {
      const page = wire.url === undefined ? undefined : pageOf(wire.url, app);
      const action = wire.event ?? (isLine ? requestAction(wire, page) : impliedAction(wire));
      const file =
        action === 'download' && wire.file !== undefined ? pageOf(wire.file, app) : undefined;
      return { action, page, file };
    },
    addPlace(draft, wire, place) {
      if (place.page !== undefined) addUrl(draft, wire, place.page);
      if (place.action === 'download') addDownload(draft, wire, place);
      else addItem(draft, wire, place.page);
    },
  };
}

/** A line of a log has a path, and perhaps the host of its site. */
function addUrl(draft: Draft, wire: WireEvent, page: PageFacts): void {
  addFacts(draft, page.facts);
  if (page.host === '' && page.domain === undefined) {
    addText(draft, 'url.domain', wire.host?.replace(/:\d+$/u, ''));
  }
}

function impliedAction(wire: WireEvent): 'view' | 'log' {
  return wire.item === undefined && wire.url === undefined ? 'log' : 'view';
}

/**
 * A pattern that matches the file names the item of a download, else the page does: the file's
 * mere path would hide which dataset it belongs to.
 */
function addDownload(draft: Draft, wire: WireEvent, place: Place): void {
  const { page, file = page } = place;
  const byPattern = file?.matched === true ? file.item : undefined;
  const format = wire.format?.toLowerCase() ?? file?.format ?? file?.extension;
  addText(draft, 'item', wire.item ?? byPattern ?? wire.pageItem ?? (page ?? file)?.item);
  addText(draft, 'file.extension', format || 'other');
  addText(draft, 'file.path', file?.full);
}

function addItem(draft: Draft, wire: WireEvent, page: PageFacts | undefined): void {
  if (wire.item !== undefined) addText(draft, 'item', wire.item);
  else if (page !== undefined) addFacts(draft, page.itemFacts);
  addText(draft, 'file.extension', wire.format?.toLowerCase());
  addText(draft, 'file.path', wire.file);
  if (wire.pageItem !== undefined) addLeftover(wire, 'page_item', wire.pageItem);
}
