import { STATUS_CODES } from 'node:http';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type ErrorCode, MetronomeError } from '../errors.ts';

const STATUS = {
  'bad-request': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'bad-method': 405,
  'too-large': 413,
  unsupported: 415,
  'too-many': 429,
  unavailable: 503,
  config: 500,
} as const satisfies Record<ErrorCode, ContentfulStatusCode>;

const DEFAULT_RETRY_AFTER_S = 5;

/**
 * Answers any error as `application/problem+json` (RFC 9457). An error that is not ours is our
 * fault: its text stays in the log, and the answer is a 503, because every shipper retries that.
 */
export function problem(context: Context, error: unknown): Response {
  const known = toMetronomeError(error);
  const status = STATUS[known.code];
  if (status === 503 || status === 429) {
    context.header('Retry-After', String(known.retryAfterS ?? DEFAULT_RETRY_AFTER_S));
  }
  if (status === 401) context.header('WWW-Authenticate', 'Bearer');
  const text = problemText(status, known.message, known.extensions);
  return context.body(text, status, { 'Content-Type': PROBLEM_TYPE });
}

export const PROBLEM_TYPE = 'application/problem+json';

/** The document of RFC 9457, section 3. */
export function problemText(status: number, detail: string, extensions: object = {}): string {
  const document = { type: 'about:blank', title: STATUS_CODES[status], status, detail };
  return JSON.stringify({ ...document, ...extensions });
}

/** The status that `problem` answers an error with. */
export function statusOf(error: unknown): number {
  return STATUS[toMetronomeError(error).code];
}

/** Whether the error is one that the collector foresees and so need not be logged as a fault. */
export function isForeseen(error: unknown): boolean {
  return error instanceof MetronomeError || error instanceof HTTPException;
}

function toMetronomeError(error: unknown): MetronomeError {
  if (error instanceof MetronomeError) return error;
  if (error instanceof HTTPException && error.status < 500) {
    return new MetronomeError('bad-request', error.message, { cause: error });
  }
  const message = 'The collector failed unexpectedly; nothing of this request was kept. Try again.';
  return new MetronomeError('unavailable', message, { cause: error });
}
