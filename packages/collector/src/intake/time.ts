import { addLeftover } from './application-keys.ts';
import type { WireEvent } from './wire.ts';

const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;
/** Largest time that JavaScript knows; ISO 8601 with four digits for the year ends before it. */
const TIME_MAX_MS = Date.UTC(10_000, 0);
/**
 * Numbers below are seconds, from here on milliseconds: 1973 as milliseconds, the year 5138 as
 * seconds.
 */
const SECONDS_BELOW = 1e11;

/**
 * Epoch ms of a time on the wire; NaN for one that cannot be read. Numbers (also as text) are
 * epoch milliseconds or, as shippers send them, seconds with a fraction. Text is ISO 8601, in its
 * extended form and with a space for the `T` as well, or as Apache and nginx log it:
 * `17/May/2015:10:05:03 +0000`. Without a zone it is UTC.
 */
export function parseTime(value: unknown): number {
  if (typeof value === 'number') return fromNumber(value);
  if (typeof value !== 'string') return Number.NaN;
  const iso = ISO.exec(value);
  if (iso !== null) {
    const [, year, month, day, hour = '00', minute = '00', second = '00', digits, zone] = iso;
    const clock = clockMs(Number(hour), Number(minute), Number(second), digits);
    return midnight(Number(year), Number(month), Number(day)) + clock - zoneMs(zone);
  }
  const log = ACCESS_LOG.exec(value);
  if (log !== null) {
    const [, day, name = '', year, hour, minute, second, zone] = log;
    const month = MONTHS.indexOf(name.toLowerCase()) + 1;
    const clock = clockMs(Number(hour), Number(minute), Number(second), undefined);
    return midnight(Number(year), month, Number(day)) + clock - zoneMs(zone);
  }
  return /^\d{1,15}(?:\.\d+)?$/u.test(value) ? fromNumber(Number(value)) : Number.NaN;
}

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)? ?([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/u;
const ACCESS_LOG = /^\[?(\d\d)\/([A-Za-z]{3})\/(\d{4}):(\d\d):(\d\d):(\d\d)(?: ([+-]\d{4}))?\]?$/u;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

function fromNumber(value: number): number {
  const ms = Math.round(value < SECONDS_BELOW ? value * 1000 : value);
  return ms >= 0 && ms < TIME_MAX_MS ? ms : Number.NaN;
}

function midnight(year: number, month: number, day: number): number {
  const ms = Date.UTC(year, month - 1, day);
  // February 30 would be March 2.
  const exists = year >= 1970 && month >= 1 && month <= 12 && new Date(ms).getUTCDate() === day;
  return exists ? ms : Number.NaN;
}

function clockMs(hour: number, minute: number, second: number, digits: string | undefined): number {
  // 60 is a leap second, which is counted as the second after it.
  if (hour > 23 || minute > 59 || second > 60) return Number.NaN;
  const fraction = digits === undefined ? 0 : Number(digits.slice(0, 3).padEnd(3, '0'));
  return ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
}

/** Of `Z`, `+01`, `+0130` or `+01:30`; without a zone it is UTC. */
function zoneMs(zone: string | undefined): number {
  if (zone === undefined || zone.length === 1) return 0;
  const minutes = zone.length > 3 ? Number(zone.slice(-2)) : 0;
  const ms = (Number(zone.slice(1, 3)) * 60 + minutes) * 60_000;
  return zone.startsWith('-') ? -ms : ms;
}

/** ISO 8601 in UTC with milliseconds, of whole epoch ms. */
export function formatTime(ms: number): string {
  const minute = Math.floor(ms / MS_PER_MINUTE);
  if (minute !== lastMinute) {
    lastMinute = minute;
    lastText = new Date(ms).toISOString().slice(0, 17);
  }
  const rest = ms - minute * MS_PER_MINUTE;
  const second = Math.floor(rest / 1000);
  return `${lastText}${SECONDS[second]}${FRACTIONS[rest - second * 1000]}`;
}

/** The day as `2026-11-23`, in UTC. */
export function formatDay(ms: number): string {
  const day = Math.floor(ms / MS_PER_DAY);
  if (day !== lastDay) {
    lastDay = day;
    lastDate = new Date(ms).toISOString().slice(0, 10);
  }
  return lastDate;
}

/** Most times of a batch are of one minute and day, so these are kept from the time before. */
let lastMinute = Number.NaN;
let lastText = '';
let lastDay = Number.NaN;
let lastDate = '';

const SECONDS = Array.from({ length: 60 }, (_, second) => String(second).padStart(2, '0'));
const FRACTIONS = Array.from({ length: 1000 }, (_, ms) => `.${String(ms).padStart(3, '0')}Z`);

/**
 * The client's own time: undefined without one, NaN for one that cannot be read.
 *
 * `time` counts whatever it holds. Else the first that can be read of `timestamp` (the time in
 * the log line, where Logstash and Vector keep it), `@timestamp` (often that of reading the
 * line) and `date`. A `timestamp` or `date` that does not count is the application's.
 */
export function readTime(wire: WireEvent): number | undefined {
  if (wire.time !== undefined) {
    keepUnused(wire, 'timestamp', wire.timestamp);
    keepUnused(wire, 'date', wire.date);
    return parseTime(wire.time);
  }
  const { timestamp, atTimestamp, date } = wire;
  if (timestamp === undefined && atTimestamp === undefined && date === undefined) return undefined;
  const read = [parseTime(timestamp), parseTime(atTimestamp), parseTime(date)];
  const chosen = read.findIndex((ms) => !Number.isNaN(ms));
  if (chosen !== 0) keepUnused(wire, 'timestamp', timestamp);
  if (chosen !== 2) keepUnused(wire, 'date', date);
  if (chosen !== -1) return read[chosen];
  return timestamp === undefined && atTimestamp === undefined ? undefined : Number.NaN;
}

function keepUnused(wire: WireEvent, key: string, value: WireEvent['time']): void {
  if (value !== undefined) addLeftover(wire, key, value);
}
