import { EVENT_LIMITS } from '../event.ts';
import { SPAM_HOSTS } from './spam-hosts.ts';

export type EventLimits = { readonly [Name in keyof typeof EVENT_LIMITS]: number };

/** Which item a URL is about. */
export interface ItemPattern {
  /** Only for events of this app; absent: of every app. */
  readonly app?: string | undefined;
  /**
   * A URLPattern: of the path (`/datasets/:item`), of path and query (`/view?id=:item`), or of
   * the whole URL (`https://data.example.org/:item`). `:format` makes a server's answer a
   * download.
   */
  readonly pattern: string;
  /** The item, with groups of the pattern as `:name`; default `:item`. */
  readonly item?: string | undefined;
}

export interface IntakeOptions {
  /**
   * The secret that visitors are hashed with, for a UTC day (`2026-11-23`): that of receipt or
   * the one before. The same for all collectors of a store. Called for each batch, so it must
   * be quick.
   */
  readonly salt: (day: string) => string | Uint8Array;
  /** In order; the first that matches wins. */
  readonly patterns?: readonly ItemPattern[];
  /** Hosts of the sites, with or without `www.` and port: never referers. */
  readonly ownHosts?: readonly string[];
  /** Older events are refused, except imported ones. */
  readonly maxAgeDays?: number;
  /** Hosts (with all below them) whose referrals are spam. */
  readonly spamHosts?: readonly string[];
  readonly limits?: EventLimits;
  readonly eventsPerBodyMax?: number;
}

export const INTAKE_DEFAULTS = {
  patterns: [],
  ownHosts: [],
  maxAgeDays: 90,
  spamHosts: SPAM_HOSTS,
  limits: EVENT_LIMITS,
  eventsPerBodyMax: 100_000,
} as const satisfies Omit<Required<IntakeOptions>, 'salt'>;

export type IntakeSettings = Required<IntakeOptions>;
