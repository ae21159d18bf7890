/** What the clients must find in the store of one event. */
export type Fate = 'once' | 'at-most-once' | 'unknown';

const UNKNOWN = 0;
const OPEN = 1;
const ONCE = 2;
const AT_MOST_ONCE = 3;

/**
 * The clients' own record of what they sent and what was promised to them: the truth that journal
 * and store are held against. Events are numbered by their serial, from 0.
 */
export class Book {
  #states = new Uint8Array(1 << 16);
  #next = 0;
  #posts = 0;
  #acknowledged = 0;
  #unanswered = 0;
  #refused = 0;
  readonly #violations: string[] = [];

  /** Serials that were given out. */
  get events(): number {
    return this.#next;
  }

  /** Requests that reached a collector. */
  get posts(): number {
    return this.#posts;
  }

  /** Events in 202s, each time that they were in one. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Of them, those that got no answer. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Of them, those that were answered with 503. */
  get refused(): number {
    return this.#refused;
  }

  /** Answers that the contract does not allow, each a sentence. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  newSerial(): number {
    if (this.#next === this.#states.length) {
      const larger = new Uint8Array(this.#states.length * 2);
      larger.set(this.#states);
      this.#states = larger;
    }
    this.#states[this.#next] = OPEN;
    return this.#next++;
  }

  posted(): void {
    this.#posts += 1;
  }

  /** A 202: each of these events is in the store exactly once. */
  promised(serials: readonly number[]): void {
    for (const serial of serials) this.#states[serial] = ONCE;
    this.#acknowledged += serials.length;
  }

  /** No answer, or a 503, for events that cannot be sent again: each may be there or not. */
  undecided(serials: readonly number[]): void {
    for (const serial of serials) this.#states[serial] = AT_MOST_ONCE;
  }

  wentUnanswered(): void {
    this.#unanswered += 1;
  }

  wasRefused(): void {
    this.#refused += 1;
  }

  violated(sentence: string): void {
    this.#violations.push(sentence);
  }

  fateOf(serial: number): Fate {
    const state = this.#states[serial] ?? UNKNOWN;
    if (state === ONCE) return 'once';
    // Still open when the clients were stopped: sent, but never promised.
    return state === UNKNOWN ? 'unknown' : 'at-most-once';
  }
}
