import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { EventStore } from './event-store.ts';
import { writeDurably } from './write-durably.ts';

const FILE_NAME = 'salts.json';
const SALT_BYTES = 32;
const DAY_MS = 86_400_000;

const fileSchema = z.record(z.iso.date(), z.string().min(32));

/**
 * The secrets that visitors are hashed with, one for each UTC day. All collectors of a store
 * agree on them, a day ahead, so that a visitor is the same at each of them. Yesterday's is the
 * oldest that is kept: once a salt is destroyed, the visitors of its day cannot be told from
 * anybody's, not even by who has the data.
 */
export class Salts {
  readonly #path: string;
  readonly #now: () => number;
  #salts: Readonly<Record<string, string>>;

  /** `now` in epoch ms. Throws when the folder cannot be written. */
  constructor(dataDir: string, now: () => number) {
    mkdirSync(dataDir, { recursive: true });
    this.#path = join(dataDir, FILE_NAME);
    this.#now = now;
    this.#salts = read(this.#path);
  }

  /**
   * The salt of a UTC day such as `2026-11-23`. One that was not agreed on in time, because the
   * store was away for more than a day, is this collector's own until it is back.
   */
  of(day: string): string {
    const known = this.#salts[day];
    if (known !== undefined) return known;
    const salt = newSalt();
    this.#keep({ [day]: salt });
    return salt;
  }

  /**
   * Agrees with the other collectors of the store on the salts of today and tomorrow, and
   * destroys those before yesterday, here and there. Throws what the store throws.
   */
  async agree(store: Pick<EventStore, 'salt' | 'forgetSalts'>): Promise<void> {
    this.#keep({});
    for (const day of [this.#day(0), this.#day(1)]) {
      this.#keep({ [day]: await store.salt(day, this.#salts[day] ?? newSalt()) });
    }
    await store.forgetSalts(this.#day(-1));
  }

  /** Adds salts and drops old ones; written only where that changes anything. */
  #keep(added: Readonly<Record<string, string>>): void {
    const oldest = this.#day(-1);
    const all = Object.entries({ ...this.#salts, ...added });
    const kept = Object.fromEntries(all.filter(([day]) => day >= oldest));
    const text = JSON.stringify(kept);
    const changed = text !== JSON.stringify(this.#salts);
    this.#salts = kept;
    if (changed) writeDurably(this.#path, text);
  }

  #day(offset: number): string {
    return new Date(this.#now() + offset * DAY_MS).toISOString().slice(0, 10);
  }
}

function newSalt(): string {
  return randomBytes(SALT_BYTES).toString('base64url');
}

function read(path: string): Readonly<Record<string, string>> {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Missing or damaged: new salts only mean that today's visitors count anew.
    return {};
  }
}
