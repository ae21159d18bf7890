import { TAGS } from '../event.ts';
import { readAccessLog } from './access-log.ts';
import { identifies, withoutAddresses } from './addresses.ts';
import { addKey } from './application-keys.ts';
import { addTag, type Draft, member } from './draft.ts';
import { errorCause, isNoise } from './error-cause.ts';
import { createEventClock, type EventTime } from './event-time.ts';
import type { EventLimits, IntakeSettings } from './options.ts';
import { createPlaces, type Place } from './place.ts';
import { createReferrers } from './referrer.ts';
import { type Refusal, REFUSALS } from './refusals.ts';
import { type ClientFacts, createSenders } from './sender.ts';
import { isLonger, quote, withoutLoggedAddress } from './text.ts';
import { formatTime } from './time.ts';
import type { WireEvent } from './wire.ts';

/** Makes a line of the journal from the event at `index` of its body, or says why not. */
type Enrich = (wire: WireEvent, index: number) => string | Refusal;

/** Returns what begins a body. */
export function createEnricher(settings: IntakeSettings): (client: ClientFacts) => Enrich {
  const addPlace = createPlaces(settings);
  const addReferrer = createReferrers(settings);
  const sendersOf = createSenders(settings.salt);

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
      const draft: Draft = { members: '', tags: wire.tags, bot: false };
      if (time.tag !== undefined) addTag(draft, time.tag);
      const place = addPlace(draft, wire, app, isLine);
      addReferrer(draft, wire, place.page);
      addSender(draft, wire, time.at, isLine || place.action === 'log');
      addTexts(draft, wire);
      addNumbers(draft, wire);
      addMessages(draft, wire, place.action);
      addMarks(draft);
      addApplication(draft, wire, place);

      const at = formatTime(time.at);
      const line =
        `{"@timestamp":"${at}","@version":"1","event.ingested":"${received}"` +
        `${createdMember(time, at)}${member('event.id', wire.id)},"event.action":${quote(place.action)}` +
        `,"service.name":${quote(app)}${draft.members}}`;
      const addresses = ownAddress === undefined ? wire.addresses : [...wire.addresses, ownAddress];
      return withoutAddresses(line, addresses);
    };
  };
}

function createdMember({ at, created }: EventTime, atText: string): string {
  if (created === undefined) return '';
  return `,"event.created":"${created === at ? atText : formatTime(created)}"`;
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
  draft.members +=
    member('title', wire.title) +
    member('page.id', wire.page) +
    member('browser.language', wire.language) +
    member('http.request.method', wire.method) +
    member('browser.web_vital.name', wire.name) +
    member('browser.web_vital.rating', wire.rating) +
    member('log.origin.file.name', wire.source);
}

function addNumbers(draft: Draft, wire: WireEvent): void {
  draft.members +=
    member('duration', wire.duration) +
    member('http.response.status_code', wire.status) +
    member('browser.web_vital.value', wire.value) +
    member('log.origin.file.line', wire.line) +
    member('log.origin.file.column', wire.column);
}

/** What an error says is its message under both names; a raw line loses the address in it. */
function addMessages(draft: Draft, wire: WireEvent, action: string): void {
  const isError = action === 'error';
  const { message, errorMessage, stack = '', fingerprint } = wire;
  const said = clean(message ?? (isError ? errorMessage : undefined), wire);
  const error = clean(errorMessage ?? (isError ? message : undefined), wire);
  const cause = fingerprint ?? (isError ? errorCause(error, stack) : undefined);
  draft.members +=
    member('message', said) +
    member('error.message', error) +
    member('error.stack_trace', stack) +
    member('error.grouping_key', cause);
  const noise = wire.noise || (isError && isNoise(error, stack, wire.source ?? ''));
  if (noise) addTag(draft, TAGS.noise);
}

function clean(text: string | undefined, wire: WireEvent): string {
  return text === undefined ? '' : withoutAddresses(withoutLoggedAddress(text), wire.addresses);
}

/** The application's keys, with the campaign of the URL where the event does not say it itself. */
function addApplication(draft: Draft, wire: WireEvent, { page }: Place): void {
  for (const [name, value] of page?.campaign ?? []) {
    if (!wire.campaignKeys.includes(name)) addKey(wire, quote(name), value);
  }
  if (wire.labels !== '') draft.members += `,"labels":{${wire.labels.slice(1)}}`;
  if (wire.metrics !== '') draft.members += `,"metrics":{${wire.metrics.slice(1)}}`;
}

function addMarks(draft: Draft): void {
  if (draft.bot) draft.members += ',"bot":true';
  if (draft.tags.length > 0) draft.members += `,"tags":${JSON.stringify(draft.tags)}`;
}
