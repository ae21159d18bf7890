import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { RequestError } from '@hono/node-server';
import { PROBLEM_TYPE, problemText } from './problem.ts';

/** Answers what Hono has no request for: a target or `Host` that is none. */
export function answerWithoutRoute(error: unknown): Response {
  const [status, detail] =
    error instanceof RequestError
      ? [400, 'The target of the request or its Host header cannot be read.']
      : [503, 'The collector failed unexpectedly; nothing of this request was kept. Try again.'];
  const headers = { 'Content-Type': PROBLEM_TYPE };
  return new Response(problemText(status, detail), { status, headers });
}

/** By the `code` of Node's `clientError`; all others are a 400. */
const ANSWERS: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive.'],
};

/** Answers what is not HTTP, or does not come to an end, and closes the connection. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] = ANSWERS[error.code ?? ''] ?? [400, 'The request is not HTTP.'];
  const text = problemText(status, detail);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}
