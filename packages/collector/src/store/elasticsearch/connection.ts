import { STATUS_CODES } from 'node:http';
import {
  Client,
  type ClientOptions,
  errors,
  Transport,
  type TransportRequestOptions,
  type TransportRequestParams,
} from '@elastic/elasticsearch';
import { MetronomeError } from '../../errors.ts';
import type { DeclaredQuery } from '../../query/declared.ts';

export interface ElasticsearchOptions {
  /** `http://` or `https://` addresses of one or more nodes; may carry `user:password@`. */
  readonly nodes: readonly string[];
  readonly user?: string;
  readonly password?: string;
  /** Instead of user and password. */
  readonly apiKey?: string;
  /** PEM of the certificate authority of an `https://` cluster. */
  readonly ca?: string;
  /** Daily indices are `PREFIX-YYYY.MM.DD`; default `metronome`. */
  readonly prefix?: string;
  /** Of each daily index; default 1. */
  readonly shards?: number;
  /** Of each daily index; default 1. */
  readonly replicas?: number;
  /** Elasticsearch's `index.refresh_interval`, such as `5s`; default: its own. */
  readonly refreshInterval?: string;
  /** Application keys that declared queries use as numbers: always mapped, whatever else comes. */
  readonly numericKeys?: readonly string[];
  /** What the application declares: some of it with a rollup. */
  readonly queries?: Readonly<Record<string, DeclaredQuery>>;
  /** Epoch ms; what tells the days that are over. Default: the clock. */
  readonly now?: () => number;
  /** How long counts that are no longer true outlive their last reader; default: an hour. */
  readonly oldMs?: number;
  /** Of one request; default 30,000. */
  readonly requestTimeoutMs?: number;
}

const REQUEST_TIMEOUT_MS = 30_000;

class ImpatientTransport extends Transport {
  constructor(options: ConstructorParameters<typeof Transport>[0]) {
    super({ ...options, retryBackoff: () => 0, openTelemetry: { enabled: false } });
  }

  /** Where a 404 is no error, because something need not be there, a proxy's is one all the same. */
  override async request<T>(
    params: TransportRequestParams,
    options: TransportRequestOptions = {},
  ): Promise<T> {
    const result = await super.request<unknown, unknown>(params, { ...options, meta: true });
    if (!isOwn(result)) throw new errors.ResponseError(result);
    return (options.meta ? result : result.body) as T;
  }
}

/**
 * A client that tries every node once more and then gives up: delivery and callers own the waiting.
 */
export function connect(options: ElasticsearchOptions): Client {
  const { nodes, user, password, apiKey, ca, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  const settings: ClientOptions = {
    nodes: [...nodes],
    requestTimeout: requestTimeoutMs,
    maxRetries: nodes.length,
    Transport: ImpatientTransport,
  };
  if (apiKey) settings.auth = { apiKey };
  else if (user !== undefined) settings.auth = { username: user, password: password ?? '' };
  if (ca) settings.tls = { ca };
  return new Client(settings);
}

/** Runs one exchange with Elasticsearch and turns whatever goes wrong into a `MetronomeError`. */
export async function ask<T>(exchange: () => Promise<T>): Promise<T> {
  try {
    return await exchange();
  } catch (error) {
    throw asMetronomeError(error);
  }
}

/** Makes what has been written so far visible to searches, whichever copy of a shard they ask. */
export async function refresh(client: Client, index: string | string[]): Promise<void> {
  const { _shards } = await ask(() => client.indices.refresh({ index, allow_no_indices: true }));
  if ((_shards?.failed ?? 0) > 0) throw unavailable('does not show everything that it has taken');
}

export function unavailable(why: string, cause?: unknown): MetronomeError {
  return new MetronomeError('unavailable', `Elasticsearch ${why}`, { cause });
}

/** Elasticsearch's own name of what went wrong, such as `index_not_found_exception`. */
export function errorType(error: unknown): string | undefined {
  return causeOf(error)?.type;
}

/** Whether a part of the search would do where the whole does not. */
export function tooMuchAtOnce(error: unknown): boolean {
  const cause = causeOf(error);
  const { type, reason = '' } = cause ?? {};
  const memory = type === 'circuit_breaking_exception' && reason.startsWith('[request]');
  return memory || type === 'too_many_buckets_exception';
}

/** Whether a smaller request would pass. */
export function isTooLarge(error: unknown): boolean {
  return responseOf(error)?.statusCode === 413;
}

function causeOf(error: unknown): Cause | undefined {
  return rootCause(responseOf(error)?.body);
}

function responseOf(error: unknown): errors.ResponseError | undefined {
  const response = error instanceof MetronomeError ? error.cause : error;
  return response instanceof errors.ResponseError ? response : undefined;
}

/** Only a 400 that names its cause speaks of the request; all else may pass. */
function asMetronomeError(error: unknown): MetronomeError {
  if (error instanceof MetronomeError) return error;
  if (!(error instanceof errors.ResponseError)) {
    return unavailable(`cannot be reached: ${error instanceof Error ? error.message : ''}`, error);
  }
  const { statusCode = 0, body } = error;
  if (statusCode === 413) {
    return unavailable('or a proxy before it takes no request of this size (413)', error);
  }
  if (!isOwn(error)) {
    const status = `${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim();
    return unavailable(`did not answer: a proxy before it did (${status})`, error);
  }
  const { type, reason = '' } = rootCause(body) ?? {};
  const why = `(${type ?? statusCode}): ${reason}`;
  if (statusCode === 401) return unavailable('refuses the user, password or API key', error);
  if (statusCode === 403) return unavailable(`refuses ${why}`, error);
  if (statusCode !== 400 || type === undefined || CLUSTER_FAULTS.has(type)) {
    return unavailable(`refuses for now ${why}`, error);
  }
  return new MetronomeError('bad-request', `Elasticsearch refuses ${why}`, { cause: error });
}

/** Whether Elasticsearch gave an answer, and not a proxy: its 401 has the cause, but no header. */
function isOwn({ headers = {}, body }: Answer): boolean {
  return (
    headers['x-elastic-product'] === 'Elasticsearch' || rootCause(body)?.root_cause !== undefined
  );
}

type Answer = Pick<errors.ResponseError, 'headers' | 'body'>;

/** Answered with a 400, though the cluster and not the request has to change. */
export const CLUSTER_FAULTS: ReadonlySet<string> = new Set([
  // The cluster has as many shards as it may.
  'validation_exception',
  // A node of it is of another version.
  'media_type_header_exception',
]);

interface Cause {
  readonly root_cause?: unknown;
  readonly type?: string;
  readonly reason?: string;
}

function rootCause(body: unknown): Cause | undefined {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  const { error } = body;
  if (typeof error !== 'object' || error === null) return undefined;
  const roots = 'root_cause' in error && Array.isArray(error.root_cause) ? error.root_cause : [];
  const deepest = 'caused_by' in error ? error.caused_by : undefined;
  return { ...(error as Cause), ...(deepest as Cause | undefined), ...(roots[0] as Cause) };
}
