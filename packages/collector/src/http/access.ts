import { createHash, timingSafeEqual } from 'node:crypto';
import { MetronomeError } from '../errors.ts';

/** Who may write and read. Empty lists mean open. */
export interface AccessOptions {
  readonly writeKeys: readonly string[];
  readonly readTokens: readonly string[];
  readonly origins: readonly string[];
}

/** What a request brings to prove itself. */
export interface Credentials {
  readonly authorization?: string | undefined;
  /** `?key=`, for senders that cannot set a header. */
  readonly key?: string | undefined;
  readonly origin?: string | undefined;
}

/** Checks keys, tokens and origins. Secrets are compared by digest in constant time. */
export class Access {
  readonly #writeKeys: readonly Buffer[];
  readonly #readTokens: readonly Buffer[];
  readonly #origins: ReadonlySet<string>;

  constructor({ writeKeys, readTokens, origins }: AccessOptions) {
    this.#writeKeys = writeKeys.map(digest);
    this.#readTokens = readTokens.map(digest);
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase()));
  }

  /** Whether pages of this origin may send events. */
  allowsOrigin(origin: string): boolean {
    return this.#origins.size === 0 || this.#origins.has(origin.toLowerCase());
  }

  /**
   * Checks that a request may send events.
   *
   * @returns true when it brought a valid write key, and so is under no limit of its own.
   * @throws MetronomeError `unauthorized` or `forbidden`.
   */
  checkWrite(credentials: Credentials): boolean {
    const given = bearer(credentials.authorization) ?? credentials.key;
    if (given !== undefined && this.#writeKeys.length > 0) {
      if (isOneOf(this.#writeKeys, given)) return true;
      throw new MetronomeError('unauthorized', 'The write key is not valid.');
    }
    const { origin } = credentials;
    if (origin !== undefined && !this.allowsOrigin(origin)) {
      const message = `Pages of ${origin} may not send events; list the origin in METRONOME_ORIGINS.`;
      throw new MetronomeError('forbidden', message);
    }
    const listed = origin !== undefined && this.#origins.size > 0;
    if (this.#writeKeys.length > 0 && !listed) {
      const message =
        'A write key is needed: send it as "Authorization: Bearer KEY" or "?key=KEY".';
      throw new MetronomeError('unauthorized', message);
    }
    return false;
  }

  /** Whether answers are for holders of a token only. */
  get guardsReading(): boolean {
    return this.#readTokens.length > 0;
  }

  /** @throws MetronomeError `unauthorized` when answers need a token and none valid is there. */
  checkRead(authorization: string | undefined): void {
    if (this.#readTokens.length === 0) return;
    const given = bearer(authorization);
    if (given !== undefined && isOneOf(this.#readTokens, given)) return;
    const message = 'A read token is needed: send it as "Authorization: Bearer TOKEN".';
    throw new MetronomeError('unauthorized', message);
  }
}

function bearer(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/iu.exec(authorization ?? '')?.[1];
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function isOneOf(digests: readonly Buffer[], given: string): boolean {
  const mine = digest(given);
  let found = false;
  for (const one of digests) found = timingSafeEqual(one, mine) || found;
  return found;
}
