import { crc32 } from 'node:zlib';
import type { Stage } from './stage.ts';

/** One group commit in a segment. */
export interface Frame {
  /** Epoch ms of the commit. */
  readonly time: number;
  readonly first: number;
  readonly events: number;
  /** Where its payload lies in the bytes that it was read from. */
  readonly start: number;
  readonly end: number;
}

export interface FramePlace {
  readonly collector: string;
  readonly segment: number;
  readonly first: number;
  readonly time: number;
}

/** `#frame 2026-11-23T22:46:00.123Z first=… events=… bytes=… crc=…\n`, always of one width. */
const HEADER =
  /^#frame (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) first=(\d{16}) events=(\d{8}) bytes=(\d{10}) crc=([\da-f]{8})\n$/u;
const CRC_BYTES = 8;
const HEADER_BYTES = frameHeader(0, 0, 0, 0).length + CRC_BYTES + 1;
const BUFFER_BYTES_KEPT = 8 * 1024 * 1024;
const SEQUENCE_DIGITS_MAX = 16;

const SEGMENT_MARK = '#metronome-journal ';
export const JOURNAL_VERSION = 1;

/** The first line of a segment file, for people and for readers of other versions. */
export function segmentHeader(collector: string, segment: number, time: number): string {
  const facts = { collector, segment, created: new Date(time).toISOString() };
  return `${SEGMENT_MARK}${JOURNAL_VERSION} ${JSON.stringify(facts)}\n`;
}

/** The version that a segment's first bytes claim; undefined when they are not such a header. */
export function segmentVersion(bytes: Buffer): number | undefined {
  const found = /^#metronome-journal (\d{1,9}) /u.exec(bytes.toString('latin1', 0, 40));
  return found === null ? undefined : Number(found[1]);
}

/** Length of the segment header at the start of these bytes; 0 when there is none. */
export function segmentHeaderLength(bytes: Buffer): number {
  return bytes.toString('latin1', 0, SEGMENT_MARK.length) === SEGMENT_MARK
    ? bytes.indexOf(10) + 1
    : 0;
}

/** Encodes frames into one buffer that it keeps: what it returns holds until the next call. */
export class FrameEncoder {
  #buffer: Buffer = Buffer.allocUnsafeSlow(1024 * 1024);

  /** A frame of the first so many lines of a stage, which it takes out of it, after `prefix`. */
  encode(stage: Stage, events: number, place: FramePlace, prefix = ''): Buffer {
    const before = linePlace(place);
    const payloadMax = stage.bytesOf(events) + events * (before.length + SEQUENCE_DIGITS_MAX);
    const buffer = this.#room(prefix.length + HEADER_BYTES + payloadMax);
    const header = buffer.write(prefix, 0, 'latin1');
    const start = header + HEADER_BYTES;
    const end = stage.moveTo(buffer, start, events, { before, first: place.first });
    const fields = frameHeader(place.time, place.first, events, end - start);
    const crc = crc32(buffer.subarray(start, end), crc32(fields));
    buffer.write(`${fields}${crc.toString(16).padStart(CRC_BYTES, '0')}\n`, header, 'latin1');
    return buffer.subarray(0, end);
  }

  #room(bytes: number): Buffer {
    if (bytes <= this.#buffer.length) return this.#buffer;
    const buffer = Buffer.allocUnsafeSlow(bytes);
    if (bytes <= BUFFER_BYTES_KEPT) this.#buffer = buffer;
    return buffer;
  }
}

function linePlace({ collector, segment }: FramePlace): string {
  return `{"journal.collector":"${collector}","journal.segment":${segment},"journal.sequence":`;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function frameHeader(time: number, first: number, events: number, bytes: number): string {
  const at = new Date(time).toISOString();
  return `#frame ${at} first=${digits(first, 16)} events=${digits(events, 8)} bytes=${digits(bytes, 10)} crc=`;
}

/** The frame that begins there; undefined when no whole one with a true checksum does. */
export function decodeFrame(bytes: Buffer, from: number): Frame | undefined {
  const header = decodeHeader(bytes, from);
  if (header === undefined) return undefined;
  const { fields, crc, time, first, events, length } = header;
  const start = from + HEADER_BYTES;
  const end = start + length;
  if (bytes.length < end) return undefined;
  if (crc32(bytes.subarray(start, end), crc32(fields)) !== crc) return undefined;
  return { time, first, events, start, end };
}

/** Bytes that the frame at the start of these has, by its header. */
export function bytesOfFrame(bytes: Buffer): number {
  return HEADER_BYTES + (decodeHeader(bytes, 0)?.length ?? 0);
}

/** The first whole frame with a true checksum that holds `next` or a later sequence. */
export function findFrame(
  bytes: Buffer,
  next: number,
): { readonly at: number; readonly first: number } | undefined {
  for (let at = bytes.indexOf('#frame '); at >= 0; at = bytes.indexOf('#frame ', at + 1)) {
    const frame = decodeFrame(bytes, at);
    if (frame !== undefined && frame.first + frame.events > next) {
      return { at, first: frame.first };
    }
  }
  return undefined;
}

interface Header {
  /** What the checksum covers of it. */
  readonly fields: string;
  readonly time: number;
  readonly first: number;
  readonly events: number;
  readonly length: number;
  readonly crc: number;
}

function decodeHeader(bytes: Buffer, from: number): Header | undefined {
  const header = bytes.toString('latin1', from, from + HEADER_BYTES);
  const found = HEADER.exec(header);
  if (found === null) return undefined;
  const [, time = '', first, events, length, crc = ''] = found;
  return {
    fields: header.slice(0, -CRC_BYTES - 1),
    time: Date.parse(time),
    first: Number(first),
    events: Number(events),
    length: Number(length),
    crc: Number.parseInt(crc, 16),
  };
}
