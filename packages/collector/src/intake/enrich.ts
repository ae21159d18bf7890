import { TAGS } from '../event.ts';
import { clientId } from '../place-name.ts';
import { readAccessLog } from './access-log.ts';
import { identifies, withoutAddresses } from './addresses.ts';
import { addKey } from './application-keys.ts';
import { type BoundedCache, createBoundedCache } from './bounded-cache.ts';
import {
  addFacts,
  addNumber,
  addTag,
  addText,
  type Draft,
  type Facts,
  factsOf,
  lineOf,
  newDraft,
} from './draft.ts';
import { errorCause, isNoise } from './error-cause.ts';
import { createEventClock, type EventTime } from './event-time.ts';
import type { EventLimits, IntakeSettings } from './options.ts';
import { createPlaces } from './place.ts';
import { createReferrers } from './referrer.ts';
import { type Refusal, REFUSALS } from './refusals.ts';
import { type ClientFacts, createSenders } from './sender.ts';
import { isLonger, quote, withoutLoggedAddress } from './text.ts';
import { formatTime } from './time.ts';
import type { UrlFacts } from './url.ts';
import type { WireEvent } from './wire.ts';

/** Makes a line of the journal from the event at `index` of its body, or says why not. */
type Enrich = (wire: WireEvent, index: number) => string | Refusal;

/** Returns what begins a body. */
export function createEnricher(settings: IntakeSettings): (client: ClientFacts) => Enrich {
  const { placeOf, addPlace } = createPlaces(settings);
  const addReferrer = createReferrers(settings);
  const sendersOf = createSenders(settings.salt);
  const actionOf = createActions();

  return (client) => {
    const { receivedAt, imported = false } = client;
    const ownAddress = client.fromBrowser && identifies(client.ip ?? '') ? client.ip : undefined;
    const timeOf = createEventClock({ receivedAt, imported }, settings.maxAgeDays);
    const addSender = sendersOf(client);
    const received = formatTime(receivedAt);

    return (wire, index) => {
      const isLine = mayBeLine(wire) && readAccessLog(wire);
      const time = timeOf(wire, index);
      if ('reason' in time) return time;
      const tooLong = checkNames(wire, settings.limits);
      if (tooLong !== undefined) return tooLong;

      const app = wire.app ?? 'default';
      const place = placeOf(wire, app, isLine);
      const draft = begin(time, received);
      if (wire.id !== undefined) addText(draft, 'event.id', clientId(wire.id));
      addFacts(draft, actionOf(place.action, app));
      if (wire.tags.length > 0) draft.tags = wire.tags;
      if (time.tag !== undefined) addTag(draft, time.tag);
      addPlace(draft, wire, place);
      addReferrer(draft, wire, place.page);
      addSender(draft, wire, time.at, isLine || place.action === 'log');
      addTexts(draft, wire);
      addNumbers(draft, wire);
      addMessages(draft, wire, place.action);
      addCampaign(wire, place.page);
      const addresses = ownAddress === undefined ? wire.addresses : [...wire.addresses, ownAddress];
      const line = lineOf(draft, wire.labels, wire.metrics);
      const cleared = withoutAddresses(line, addresses);
      // Where addresses were in names, two of them may be one now, which no store takes.
      return cleared === line ? line : JSON.stringify(JSON.parse(cleared));
    };
  };
}

const ACTIONS_MAX = 256;
const ACTION_LENGTH_MAX = 64;

/** What happened and to which app: of the app that was last asked for it is remembered. */
function createActions(): (action: string, app: string) => Facts {
  let last: { readonly app: string; readonly known: BoundedCache<Facts> } | undefined;
  return (action, app) => {
    if (last?.app !== app)
      last = { app, known: createBoundedCache(ACTIONS_MAX, ACTION_LENGTH_MAX) };
    const known = last.known.get(action);
    if (known !== undefined) return known;
    const facts = factsOf({ 'event.action': action, 'service.name': app });
    last.known.set(action, facts);
    return facts;
  };
}

function begin({ at, created }: EventTime, received: string): Draft {
  const event = { '@timestamp': formatTime(at), 'event.ingested': received };
  if (created === undefined) return newDraft(event);
  return newDraft({
    ...event,
    'event.created': created === at ? event['@timestamp'] : formatTime(created),
  });
}

function mayBeLine(wire: WireEvent): boolean {
  return wire.method !== undefined || wire.status !== undefined || wire.accessLog !== undefined;
}

function checkNames(wire: WireEvent, limits: EventLimits): Refusal | undefined {
  if (wire.id !== undefined && isLonger(wire.id, limits.idBytesMax)) return REFUSALS.idTooLong;
  if (wire.app !== undefined && isLonger(wire.app, limits.appBytesMax)) return REFUSALS.appTooLong;
  return wire.item !== undefined && isLonger(wire.item, limits.itemBytesMax)
    ? REFUSALS.itemTooLong
    : undefined;
}

function addTexts(draft: Draft, wire: WireEvent): void {
  addText(draft, 'title', wire.title);
  addText(draft, 'page.id', wire.page);
  addText(draft, 'browser.language', wire.language);
  addText(draft, 'http.request.method', wire.method);
  addText(draft, 'browser.web_vital.name', wire.name);
  addText(draft, 'browser.web_vital.rating', wire.rating);
  addText(draft, 'log.origin.file.name', wire.source);
}

function addNumbers(draft: Draft, wire: WireEvent): void {
  addNumber(draft, 'duration', wire.duration);
  addNumber(draft, 'http.response.status_code', wire.status);
  addNumber(draft, 'browser.web_vital.value', wire.value);
  addNumber(draft, 'log.origin.file.line', wire.line);
  addNumber(draft, 'log.origin.file.column', wire.column);
}

/** What an error says is its message under both names; a raw line loses the address in it. */
function addMessages(draft: Draft, wire: WireEvent, action: string): void {
  const isError = action === 'error';
  const { message, errorMessage, stack = '', fingerprint } = wire;
  const said = clean(message ?? (isError ? errorMessage : undefined), wire);
  const error = clean(errorMessage ?? (isError ? message : undefined), wire);
  const cause = fingerprint ?? (isError ? errorCause(error, stack) : undefined);
  addText(draft, 'message', said);
  addText(draft, 'error.message', error);
  addText(draft, 'error.stack_trace', stack);
  addText(draft, 'error.grouping_key', cause);
  const noise = wire.noise || (isError && isNoise(error, stack, wire.source ?? ''));
  if (noise) addTag(draft, TAGS.noise);
}

function clean(text: string | undefined, wire: WireEvent): string {
  return text === undefined ? '' : withoutAddresses(withoutLoggedAddress(text), wire.addresses);
}

/** The campaign of the URL, where the event does not say it itself. */
function addCampaign(wire: WireEvent, page: UrlFacts | undefined): void {
  if (page === undefined || page.campaign.length === 0) return;
  for (const [name, value] of page.campaign) {
    if (!wire.campaignKeys.includes(name)) addKey(wire, quote(name), value);
  }
}
