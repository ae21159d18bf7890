import { holdsAddress, isAddress, speaksOfAddress } from './addresses.ts';
import { addLeftover } from './application-keys.ts';
import type { Scalar } from './flatten.ts';
import type { PageFacts } from './item.ts';
import { ACCESS_LOG_KEYS } from './keys.ts';
import { addAddress, keepOut, type WireEvent } from './wire.ts';

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
  'PROPFIND',
  'REPORT',
]);

/** `GET /a HTTP/1.1`, as grok and nginx call it a request. */
const REQUEST_LINE = /^"?([A-Za-z]+) ((?:\/|https?:\/\/)\S*)(?: HTTP\/[\d.]+)?"?$/u;
/**
 * Reads what a server's access log says of a request, where the event is a line of one: it does
 * not say `event`, and has a method or status of HTTP. Elsewhere these names are the
 * application's own. Returns whether it is one.
 */
export function readAccessLog(wire: WireEvent): boolean {
  keepForeign(wire);
  const { accessLog } = wire;
  const isLine =
    wire.event === undefined &&
    (wire.method !== undefined || wire.status !== undefined || namesRequest(accessLog));
  if (isLine) adopt(wire, accessLog ?? new Map());
  for (const [name, value] of accessLog ?? []) {
    if (isLine && value === '-') continue;
    if (holdsAddress(value) && speaksOfAddress(name)) keepOut(wire, value);
    else addLeftover(wire, name, value);
  }
  return isLine;
}

/** A `method` or `status` that is none of HTTP is the application's. */
function keepForeign(wire: WireEvent): void {
  const { method, status } = wire;
  wire.method = method?.toUpperCase();
  if (method !== undefined && !isMethod(method)) {
    addLeftover(wire, 'method', method);
    wire.method = undefined;
  }
  if (status !== undefined && !isStatus(status)) {
    addLeftover(wire, 'status', status);
    wire.status = undefined;
  }
}

function isMethod(value: unknown): value is string {
  return typeof value === 'string' && METHODS.has(value.toUpperCase());
}

function isStatus(value: number): boolean {
  return Number.isInteger(value) && value >= 100 && value <= 599;
}

function namesRequest(found: ReadonlyMap<string, Scalar> | undefined): boolean {
  if (found === undefined) return false;
  const names = ACCESS_LOG_KEYS.method.some((name) => isMethod(found.get(name)));
  return names || isMethod(REQUEST_LINE.exec(String(found.get('request')))?.[1]);
}

/** Moves what the line says into the known keys; what is left is the application's. */
function adopt(wire: WireEvent, found: Map<string, Scalar>): void {
  const [line, method, url] = REQUEST_LINE.exec(String(found.get('request'))) ?? [];
  if (line !== undefined) found.delete('request');
  wire.method ??= method?.toUpperCase() ?? take(found, 'method', isMethod)?.toUpperCase();
  wire.url = unlogged(wire.url ?? url ?? take(found, 'url', isUrl));
  wire.referrer = unlogged(wire.referrer ?? take(found, 'referrer', isText));
  wire.userAgent = unlogged(wire.userAgent ?? take(found, 'userAgent', isText));
  wire.status ??= Number(take(found, 'status', isStatusText)) || undefined;
  if (wire.time === undefined) wire.timestamp ??= take(found, 'time', isText);
  adoptAddresses(wire, found);
  wire.host = take(found, 'host', isSite);
  // The log's own file, as Vector and Logstash name it.
  if (wire.file !== undefined) addLeftover(wire, 'file', wire.file);
  wire.file = undefined;
}

/** The first value under a field's names that fits, which is then no longer the application's. */
function take(
  found: Map<string, Scalar>,
  field: keyof typeof ACCESS_LOG_KEYS,
  fits: (value: string) => boolean,
): string | undefined {
  for (const name of ACCESS_LOG_KEYS[field]) {
    const value = String(found.get(name) ?? '');
    if (!fits(value)) continue;
    found.delete(name);
    return value;
  }
  return undefined;
}

/** Under these names only what is an address: a `host` is as often the machine or the site. */
function adoptAddresses(wire: WireEvent, found: Map<string, Scalar>): void {
  for (const name of ACCESS_LOG_KEYS.address) {
    const value = found.get(name);
    if (!isAddress(value)) continue;
    found.delete(name);
    addAddress(wire, value);
  }
}

/** The name of a machine, which agents send as `host` too, has no dot. */
function isSite(value: string): boolean {
  return /^[^\s/.:]+(?:\.[^\s/.:]+)+(?::\d+)?$|^localhost(?::\d+)?$/u.test(value);
}

function isText(value: string): boolean {
  return value !== '';
}

function isUrl(value: string): boolean {
  return /^(?:\/|https?:\/\/)/iu.test(value);
}

function isStatusText(value: string): boolean {
  return /^[1-5]\d\d$/u.test(value);
}

/** Logs write `-` for nothing, and grok's old patterns leave the quotes on. */
function unlogged(value: string | undefined): string | undefined {
  const text = value?.replace(/^"([^]*)"$/u, '$1');
  return text === '' || text === '-' ? undefined : text;
}

/**
 * What a request amounts to: only a `GET` that was answered with content counts. A pattern with
 * `:format` makes it a download, one without a view; else the extension decides between download,
 * part of a page (`log`) and view.
 */
export function requestAction(
  wire: WireEvent,
  page: PageFacts | undefined,
): 'view' | 'download' | 'log' {
  const { method = 'GET', status = 200 } = wire;
  if (method !== 'GET' || !ANSWERED.has(status)) return 'log';
  if (page?.format !== undefined) return 'download';
  if (wire.item !== undefined || page?.matched === true) return 'view';
  if (page === undefined || MACHINES.test(page.path) || PAGE_PARTS.has(page.extension))
    return 'log';
  return DOWNLOADS.has(page.extension) ? 'download' : 'view';
}

/** 206 is a part of a file, 304 one that the visitor's cache still had. */
const ANSWERED: ReadonlySet<number> = new Set([200, 203, 206, 304]);

/** What only machines ask for. */
const MACHINES =
  /^\/(?:robots\.txt|ads\.txt|humans\.txt|sitemap[\w-]*\.xml(?:\.gz)?|\.well-known\/.*)$/u;

/** Extensions of what belongs to a page: a request for it is no view of its own. */
export const PAGE_PARTS: ReadonlySet<string> = new Set(
  'css js mjs map png jpg jpeg gif svg webp avif bmp ico cur woff woff2 ttf otf eot webmanifest wasm'.split(
    ' ',
  ),
);

/** Extensions of what is taken away: the same that the SDK takes for downloads. */
export const DOWNLOADS: ReadonlySet<string> = new Set(
  '7z avi bz2 csv dmg doc docx epub exe geojson gpkg gz ics iso jar jsonl kml kmz mp3 mp4 msi nc ndjson ods odt odp parquet pdf pkg ppt pptx rar rdf rtf shp sqlite tar tgz tif tiff tsv ttl txt wav xls xlsx xml xz zip zst'.split(
    ' ',
  ),
);
