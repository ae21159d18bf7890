import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from './write-durably.ts';

const FILE_NAME = 'salts.json';
const SALT_BYTES = 32;
const DAY_MS = 86_400_000;

const fileSchema = z.record(z.iso.date(), z.string().min(32));

/**
 * The secrets that visitors are hashed with, one for each UTC day. Only today's and yesterday's
 * are kept: once a salt is destroyed, the visitors of its day cannot be told from anybody's,
 * not even by who has the data.
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

  /** The salt of a UTC day such as `2026-11-23`; made, and durable, at its first use. */
  of(day: string): string {
    const known = this.#salts[day];
    if (known !== undefined) return known;
    const salt = randomBytes(SALT_BYTES).toString('base64url');
    this.#keep({ ...this.#salts, [day]: salt });
    return salt;
  }

  /** Destroys the salts of days before yesterday. */
  forget(): void {
    const days = Object.keys(this.#salts);
    if (days.some((day) => day < this.#oldest())) this.#keep(this.#salts);
  }

  #keep(salts: Readonly<Record<string, string>>): void {
    const oldest = this.#oldest();
    const kept = Object.entries(salts).filter(([day]) => day >= oldest);
    this.#salts = Object.fromEntries(kept);
    writeDurably(this.#path, JSON.stringify(this.#salts));
  }

  #oldest(): string {
    return new Date(this.#now() - DAY_MS).toISOString().slice(0, 10);
  }
}

function read(path: string): Readonly<Record<string, string>> {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Missing or damaged: new salts only mean that today's visitors count anew.
    return {};
  }
}
