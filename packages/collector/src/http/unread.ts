/**
 * Answers are held in memory until their client reads them. Node reads a whole piece of the
 * connection at once, some 1,700 short requests, lets all of them be answered, and waits without
 * end. So a connection has one answer under way, and some time to read on in it.
 */
import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';

/** More requests of one connection do not wait for the answers of earlier ones. */
const WAITING_MAX = 32;

/**
 * Hands a request on when the client has taken the answers before on its connection, and ends
 * connections on which too many wait for that.
 */
export function inTurn(listener: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  const wait: RequestListener = (incoming, outgoing) => {
    const { socket } = incoming;
    const count = waiting.get(socket) ?? 0;
    if (count === WAITING_MAX) return void socket.destroy();
    waiting.set(socket, count + 1);
    outgoing.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      // Node is still at work on the response.
      queueMicrotask(() => listener(incoming, outgoing));
    });
  };
  return (incoming, outgoing) => {
    // Node gives a response its socket when all earlier ones are written.
    if (outgoing.socket === null) wait(incoming, outgoing);
    else listener(incoming, outgoing);
  };
}

/**
 * Ends connections whose client has read nothing of an answer for so long. An answer may take any
 * time to be found: until there is something to read, a silent connection is none of those.
 */
export function endUnread(server: Server, timeoutMs: number): void {
  server.setTimeout(timeoutMs, (socket) => {
    // Between two requests Node sets its own time, `keepAliveTimeout`, and says so here too.
    const isBetweenRequests = socket.timeout !== timeoutMs;
    if (socket.writableLength > 0 || isBetweenRequests) socket.destroy();
  });
}
