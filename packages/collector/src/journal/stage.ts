/** UTF-8 takes at most this many bytes for one UTF-16 unit of a string. */
const UTF8_BYTES_MAX = 3;
const BUFFER_BYTES_MIN = 1024 * 1024;
const BUFFER_BYTES_KEPT = 8 * 1024 * 1024;
const NEWLINE = 10;

/**
 * Lines that wait for their places, as bytes. Strings that wait are moved about by the collector of
 * garbage until it takes them for long-lived: of what an event costs that is a tenth.
 */
export class Stage {
  #buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES_MIN);
  /** Where each line ends, in their order. */
  readonly #ends: number[] = [];

  get events(): number {
    return this.#ends.length;
  }

  get bytes(): number {
    return this.#ends.at(-1) ?? 0;
  }

  /** A JSON object that is not empty, without `\n`. */
  add(line: string): void {
    const start = this.bytes;
    this.#reserve(start + UTF8_BYTES_MAX * line.length + 1);
    const end = start + this.#buffer.write(line, start, 'utf8');
    this.#buffer[end] = NEWLINE;
    this.#ends.push(end + 1);
  }

  /** Drops all lines after the first so many. */
  cut(events: number): void {
    this.#ends.length = events;
  }

  /** Bytes of the first so many lines. */
  bytesOf(events: number): number {
    return this.#ends[events - 1] ?? 0;
  }

  /**
   * Moves the first so many lines out, to `at` of a buffer. Instead of its brace each begins with
   * `before` and its sequence. Returns where they end.
   */
  moveTo(
    target: Buffer,
    at: number,
    events: number,
    { before, first }: { readonly before: string; readonly first: number },
  ): number {
    const buffer = this.#buffer;
    let end = at;
    let from = 0;
    for (let index = 0; index < events; index++) {
      const to = this.#ends[index] ?? from;
      end += target.write(`${before}${first + index},`, end, 'latin1');
      end += buffer.copy(target, end, from + 1, to);
      from = to;
    }
    this.#drop(events);
    return end;
  }

  #drop(events: number): void {
    const dropped = this.bytesOf(events);
    this.#buffer.copyWithin(0, dropped, this.bytes);
    this.#ends.splice(0, events);
    for (let index = 0; index < this.#ends.length; index++) {
      this.#ends[index] = (this.#ends[index] ?? 0) - dropped;
    }
    if (this.events === 0 && this.#buffer.length > BUFFER_BYTES_KEPT) {
      this.#buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES_MIN);
    }
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const buffer = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#buffer.length));
    this.#buffer.copy(buffer, 0, 0, this.bytes);
    this.#buffer = buffer;
  }
}
