import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Read at each scrape. */
export interface Gauges {
  readonly journalBytes: () => number;
  /** Age of the oldest event that waits for the store, in seconds; 0 when none waits. */
  readonly oldestWaitingS: () => number;
  /** Events acknowledged and not yet in the store. */
  readonly waiting: () => number;
  /** Failed calls of the store since the start. */
  readonly storeErrors: () => number;
  /** Events that went to the reject log since the start. */
  readonly rejected: () => number;
}

/** What `GET /metrics` shows, in Prometheus' text format. */
export interface Metrics {
  readonly accepted: Counter;
  /** Events by why they are not taken, one of the fixed sentences of intake. */
  readonly refused: Counter<'reason'>;
  readonly seconds: Histogram<'route' | 'status'>;
  /** `seconds` of a 202 of `/tick`: to look labels up costs more than to count. */
  readonly acceptedSeconds: Histogram.Internal<'route' | 'status'>;
  /** The page, and its content type. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

const LATENCY_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const counter = (name: string, help: string, read: () => number): Counter =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  const seconds = new Histogram({
    name: 'metronome_request_seconds',
    help: 'Time to answer, by route and status.',
    labelNames: ['route', 'status'],
    buckets: LATENCY_BUCKETS_S,
    registers,
  });
  gauge('metronome_journal_bytes', 'Bytes of the journal on disk.', gauges.journalBytes);
  gauge(
    'metronome_oldest_waiting_seconds',
    'Age of the oldest acknowledged event that is not yet in the store.',
    gauges.oldestWaitingS,
  );
  gauge('metronome_waiting_events', 'Acknowledged events not yet in the store.', gauges.waiting);
  counter('metronome_store_errors_total', 'Failed calls of the store.', gauges.storeErrors);
  counter(
    'metronome_events_rejected_total',
    'Acknowledged events that the store could not take, kept in the reject log.',
    gauges.rejected,
  );
  return {
    accepted: new Counter({
      name: 'metronome_events_accepted_total',
      help: 'Events acknowledged with a 202.',
      registers,
    }),
    refused: new Counter({
      name: 'metronome_events_refused_total',
      help: 'Events of readable bodies that were not taken, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    seconds,
    acceptedSeconds: seconds.labels({ route: '/tick', status: '202' }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
