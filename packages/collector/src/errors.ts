/**
 * What went wrong, in the few kinds that callers tell apart. `http/problem.ts` is the one place
 * that turns a code into a status.
 *
 * - `bad-request`  the caller's input is wrong; the message says how to mend it
 * - `unauthorized` no key or token, or a wrong one
 * - `forbidden`    known, but not allowed (an origin that is not listed)
 * - `not-found`    no such query, field, app
 * - `bad-method`   another method is meant
 * - `too-large`    over a stated limit
 * - `unsupported`  a content type or encoding that is not read
 * - `too-many`     this client is over its own limit
 * - `unavailable`  try again later: the journal or disk is full, the store is down
 * - `config`       a setting is wrong; the start stops with this sentence
 */
export type ErrorCode =
  | 'bad-request'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'bad-method'
  | 'too-large'
  | 'unsupported'
  | 'too-many'
  | 'unavailable'
  | 'config';

export interface ErrorOptions {
  cause?: unknown;
  /** For `unavailable` and `too-many`: when to come back, in seconds. */
  retryAfterS?: number;
  /** Extra members of the RFC 9457 problem document, such as `rejected`. */
  extensions?: Readonly<Record<string, unknown>>;
}

/** The one error class of the collector. `message` is a sentence for the person who must act. */
export class MetronomeError extends Error {
  override readonly name = 'MetronomeError';
  readonly code: ErrorCode;
  readonly retryAfterS: number | undefined;
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterS = options.retryAfterS;
    this.extensions = options.extensions ?? {};
  }
}
