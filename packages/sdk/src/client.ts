/** Reads the answers of a collector, in a server or a page; `docs/statistics.md` defines them. */

export interface ClientOptions {
  /** The collector, such as `https://metronome.example.org`. */
  readonly endpoint: string;
  /** A read token, where the collector needs one. It is a secret: not for pages. */
  readonly token?: string;
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/** What narrows a question; a statistic refuses what means nothing to it. */
export interface Asking {
  /** First day, as `2026-11-23`; default: 29 days before `to`. */
  readonly from?: string;
  /** Last day, inclusive; default: today. */
  readonly to?: string;
  /** IANA time zone of days and hours. */
  readonly tz?: string;
  /** The site; needed once there are several. */
  readonly app?: string;
  readonly bots?: 'include' | 'exclude';
  readonly noise?: 'include' | 'exclude';
  readonly interval?: 'hour' | 'day' | 'week' | 'month';
  /** Rows of each list. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** Counts by name. Objects put names that look like integers first, whatever the answer's order. */
export type Counts = Readonly<Record<string, number>>;

export interface Tock {
  readonly views: Counts;
  readonly downloads: Counts;
  readonly referers: Counts;
}

export interface Visitors {
  readonly total: number;
  readonly daily: number;
  readonly unknown: number;
  readonly visitors: Counts;
}

export interface Spread {
  readonly views: number;
  readonly median: number | null;
  readonly p75: number | null;
  readonly p95: number | null;
}

export interface Time {
  readonly engagedMs: Spread & {
    readonly sample?: { readonly views: number; readonly of: number };
  };
  readonly loadMs: Spread;
}

interface Rated {
  readonly good: number;
  readonly needsImprovement: number;
  readonly poor: number;
}

export type Vitals = Readonly<
  Partial<
    Record<
      'LCP' | 'INP' | 'CLS' | 'FCP' | 'TTFB',
      Rated & { readonly count: number; readonly p75: number; readonly shares: Rated }
    >
  >
>;

interface ErrorCounts {
  readonly count: number;
  readonly events: number;
  readonly visitors: number;
}

export interface ErrorGroup extends ErrorCounts {
  readonly fingerprint: string;
  /** ISO 8601. */
  readonly first: string;
  readonly last: string;
  readonly noise?: true;
  readonly sample: Readonly<
    Partial<
      Record<'url' | 'message' | 'stack' | 'source' | 'browser' | 'os', string> &
        Record<'line' | 'column', number>
    >
  > | null;
}

export interface Errors extends ErrorCounts {
  readonly groups: readonly ErrorGroup[];
}

/** Present where not all visitors were read. */
interface Sampled {
  readonly sample?: { readonly visitors: number; readonly of: number };
}

/** Of an item or a prefix. */
export interface Flow extends Sampled {
  readonly visits: number;
  readonly entries: number;
  readonly exits: number;
  readonly referers: Counts;
  readonly before: readonly {
    readonly item: string;
    readonly visits: number;
    readonly entries: number;
    readonly before: Counts;
  }[];
  readonly after: readonly {
    readonly item: string;
    readonly visits: number;
    readonly exits: number;
    readonly after: Counts;
  }[];
}

export interface SiteFlow extends Sampled {
  readonly visits: number;
  readonly entries: Counts;
  readonly exits: Counts;
  readonly referers: Counts;
  readonly steps: readonly {
    readonly from: string;
    readonly to: string;
    readonly visits: number;
  }[];
}

export interface Recommendations extends Sampled {
  readonly visitors: number;
  readonly items: readonly {
    readonly item: string;
    readonly visitors: number;
    readonly score: number;
  }[];
}

export interface Campaigns {
  readonly campaigns: readonly {
    readonly source: string;
    readonly medium: string;
    readonly campaign: string;
    readonly views: number;
    readonly downloads: number;
    readonly visitors: number;
  }[];
  readonly terms: Counts;
  readonly contents: Counts;
}

export interface Devices {
  readonly browsers: Counts;
  readonly systems: Counts;
  readonly devices: Counts;
  readonly languages: Counts;
}

export interface Live {
  readonly visitors: number;
  readonly views: Counts;
  readonly items: Counts;
  readonly referers: Counts;
}

export type Retention = readonly {
  readonly start: string;
  readonly visitors: number;
  readonly returned: readonly number[];
}[];

/** Of a funnel that the application declares. */
export interface Funnel extends Sampled {
  readonly steps: readonly {
    readonly step: string;
    readonly visitors: number;
    readonly share: number;
  }[];
}

/** The built-in statistics by their names. */
export interface Statistics {
  readonly tock: Tock;
  readonly visitors: Visitors;
  readonly time: Time;
  readonly vitals: Vitals;
  readonly errors: Errors;
  readonly flow: Flow;
  readonly recommendations: Recommendations;
  readonly campaigns: Campaigns;
  readonly devices: Devices;
  readonly live: Live;
  readonly retention: Retention;
}

export interface Client<Q = Statistics> {
  /** One statistic of an item: `of('trees', 'visitors')`. */
  of<N extends keyof Q & string>(item: string, name: N, asking?: Asking): Promise<Q[N]>;
  /** The same of several items in one call, by their ids. */
  ofEach<N extends keyof Q & string>(
    items: readonly string[],
    name: N,
    asking?: Asking,
  ): Promise<Readonly<Record<string, Q[N]>>>;
  /** The same of the whole site, or of the items whose ids begin with `prefix`. */
  ofSite<N extends keyof Q & string>(
    name: N,
    asking?: Asking & { readonly prefix?: string },
  ): Promise<N extends 'flow' ? Q[N] | SiteFlow : Q[N]>;
  /** Items of a period, highest first. */
  items(
    asking?: Asking & {
      readonly by?: 'views' | 'downloads' | 'outbound' | 'errors' | 'visitors' | 'time';
      readonly prefix?: string;
    },
  ): Promise<readonly { readonly item: string; readonly value: number }[]>;
}

/** What the collector answers instead, with its sentence as the message. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * A client of a collector. The application's own queries are given as a type:
 * `createClient<Statistics & { departments: Counts }>({ endpoint })`.
 *
 * Its promises are rejected with an `AnswerError`, or as `fetch` does.
 */
export function createClient<Q = Statistics>(options: ClientOptions): Client<Q> {
  const { endpoint, token, fetch = globalThis.fetch } = options;
  const get = async (
    path: string,
    { signal, ...asking }: Asking = {},
    items: readonly string[] = [],
  ): Promise<Response> => {
    const url = new URL(endpoint.replace(/\/?$/u, () => path));
    for (const item of items) url.searchParams.append('item', item);
    for (const [name, value] of Object.entries(asking)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const response = await fetch(url, {
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      signal: signal ?? null,
    });
    if (response.ok) return response;
    throw new AnswerError(response.status, await sentence(response));
  };
  const json = async <T>(...question: Parameters<typeof get>): Promise<T> =>
    (await get(...question)).json() as Promise<T>;
  return {
    of: async (item, name, asking) => {
      if (DOTS.includes(item)) {
        type Answer = Q[typeof name];
        const answers = await json<Record<string, Answer>>(sitePath(name), asking, [item]);
        return answers[item] as Answer;
      }
      const id = encodeURIComponent(item);
      return json(name === 'tock' ? `/tock/${id}.json` : `/tock/${id}/${name}.json`, asking);
    },
    ofEach: async (items, name, asking) =>
      items.length === 0 ? {} : json(sitePath(name), asking, items),
    ofSite: (name, asking) => json(sitePath(name), asking),
    items: async (asking) => {
      // Lines keep the order of ids that look like integers.
      const lines = await (await get('/items.ndjson', asking)).text();
      return lines
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { item: string; value: number });
    },
  };
}

/** Steps within a path, however they are encoded (https://url.spec.whatwg.org/#double-dot-path-segment). */
const DOTS: readonly string[] = ['.', '..'];

function sitePath(name: string): string {
  return name === 'tock' ? '/tock.json' : `/query/${name}.json`;
}

async function sentence(response: Response): Promise<string> {
  const body = await response.text();
  try {
    const { detail } = JSON.parse(body) as { detail?: unknown };
    return typeof detail === 'string' ? detail : body;
  } catch {
    return body;
  }
}
