import { MetronomeError } from '../errors.ts';

export interface TickBody {
  /** The header as it came; absent is read like `text/plain`. */
  readonly contentType: string | undefined;
  /** Decompressed and within the limit on size. */
  readonly bytes: Buffer;
}

export interface BodyValues {
  /** One for each event, in order: whatever JSON said, `BROKEN` where it said nothing. */
  readonly values: readonly unknown[];
  /**
   * The text has `\u` escapes: the only way in which NUL characters and lone surrogates, which
   * no store takes, can get into a string.
   */
  readonly escapes: boolean;
}

/** Stands for an NDJSON line that is not JSON. */
export const BROKEN: unique symbol = Symbol('broken');

const CONTENT_TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
  'text/plain',
]);

/** As browsers and shippers write them. */
const USUAL_HEADERS: ReadonlySet<string> = new Set([
  ...CONTENT_TYPES,
  'text/plain;charset=UTF-8',
  'application/json; charset=utf-8',
]);

const CHARSETS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);

/**
 * Reads a body in any of its forms: one object, an array, or NDJSON. Which of them is seen from
 * the text, since beacons are `text/plain` whatever they hold and shippers are often misnamed.
 *
 * @throws MetronomeError `unsupported`, `bad-request`, `too-large`: see `Intake.take`.
 */
export function readBody(body: TickBody, eventsMax: number): BodyValues {
  checkContentType(body.contentType);
  const text = body.bytes.toString('utf8').replace(/^\uFEFF/u, '');
  const values = readWhole(text) ?? readLines(text);
  if (values.length > eventsMax) {
    const message = `The body holds more than ${eventsMax} events; send smaller batches.`;
    throw new MetronomeError('too-large', message);
  }
  return { values, escapes: text.includes('\\u') };
}

function checkContentType(contentType: string | undefined): void {
  if (contentType === undefined || USUAL_HEADERS.has(contentType)) return;
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  if (type.trim() === '') return;
  const charset = parameters.find((parameter) => parameter.trim().startsWith('charset='));
  const charsetName = charset?.trim().slice('charset='.length).replaceAll('"', '');
  if (!CONTENT_TYPES.has(type.trim())) {
    const message = 'Send events as application/json, application/x-ndjson or text/plain.';
    throw new MetronomeError('unsupported', message);
  }
  if (charsetName !== undefined && !CHARSETS.has(charsetName)) {
    throw new MetronomeError('unsupported', 'Send events in UTF-8.');
  }
}

/** The values of a body that is one JSON text; undefined where it may be NDJSON. */
function readWhole(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [value];
  } catch (cause) {
    const trimmed = text.trim();
    if (trimmed === '') throw new MetronomeError('bad-request', 'The body is empty.');
    if (trimmed.includes('\n')) return undefined;
    const reason = `not JSON: ${describe(cause)}`;
    const extensions = { rejected: [{ index: 0, reason }] };
    throw new MetronomeError('bad-request', `The body is ${reason}.`, { cause, extensions });
  }
}

function readLines(text: string): readonly unknown[] {
  const values: unknown[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() !== '') values.push(readLine(line));
  }
  return values;
}

function readLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return BROKEN;
  }
}

/** V8's message without the piece of the text that it quotes. */
function describe(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replace(/, "[^]*" is not valid JSON$/u, '').replace(/ in JSON at/u, ' at');
}
