import { connect, type Socket } from 'node:net';
import type { Hostile } from './requests.ts';

export interface Reply {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** What a connection brought back. */
export interface Talk {
  /** In their order. */
  readonly replies: readonly Reply[];
  readonly closed: boolean;
}

/** For the end of a request that may never be answered. */
const UNFRAMED_WAIT_MS = 15;
const ANSWER_TIMEOUT_MS = 20_000;

/** A connection that sends bytes as they are, and reads answers until all that are due are there. */
export class RawConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #closed = false;
  #wake = (): void => {};

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends framed requests in one go, and reads their answers. */
  async talk(framed: readonly Hostile[]): Promise<Talk> {
    this.#socket.write(Buffer.concat(framed.map(({ bytes }) => bytes)));
    const replies: Reply[] = [];
    const deadline = Date.now() + ANSWER_TIMEOUT_MS;
    while (replies.length < framed.length && !this.#isDone() && Date.now() < deadline) {
      const reply = this.#take(framed[replies.length]?.method === 'HEAD');
      if (reply === undefined) await this.#more(deadline - Date.now());
      else if (reply.status >= 200) replies.push(reply);
    }
    return { replies, closed: this.#closed };
  }

  /**
   * Sends bytes whose end is unclear, and reads what they bring for a moment; then the connection
   * is of no more use.
   */
  async provoke({ bytes }: Hostile): Promise<Talk> {
    this.#socket.write(bytes);
    await this.#more(UNFRAMED_WAIT_MS);
    const replies: Reply[] = [];
    for (let reply = this.#take(false); reply !== undefined; reply = this.#take(false)) {
      if (reply.status >= 200) replies.push(reply);
    }
    this.close();
    return { replies, closed: true };
  }

  /** Sends bytes and waits for nothing. */
  drip(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #isDone(): boolean {
    return this.#closed && this.#received.length === 0;
  }

  async #more(patienceMs: number): Promise<void> {
    if (this.#closed) {
      this.#received = Buffer.alloc(0);
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The next whole reply, if it is there. */
  #take(bodiless: boolean): Reply | undefined {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const headers = this.#received.toString('latin1', 0, end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /u.exec(headers)?.[1] ?? 0);
    const start = end + 4;
    const empty = bodiless || status < 200 || status === 204 || status === 304;
    const bytes = empty ? start : this.#endOfBody(headers, start);
    if (bytes === undefined) return undefined;
    const body = this.#received.toString('utf8', start, bytes);
    this.#received = this.#received.subarray(bytes);
    return { status, headers, body };
  }

  #endOfBody(headers: string, start: number): number | undefined {
    if (/^transfer-encoding: chunked/imu.test(headers)) return this.#endOfChunks(start);
    const length = /^content-length: (\d+)/imu.exec(headers)?.[1];
    const end = length === undefined ? this.#received.length : start + Number(length);
    return end <= this.#received.length ? end : undefined;
  }

  #endOfChunks(start: number): number | undefined {
    for (let at = start; ;) {
      const line = this.#received.indexOf('\r\n', at);
      if (line < 0) return undefined;
      const size = Number.parseInt(this.#received.toString('latin1', at, line), 16);
      at = line + 2 + size + 2;
      if (at > this.#received.length) return undefined;
      if (size === 0) return at;
    }
  }
}
