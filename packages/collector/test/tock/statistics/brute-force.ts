import type { StoredEvent } from '../../../src/event.ts';

/** Which events a request is about, in the plainest form. */
export interface About {
  /** Undefined for the site. */
  readonly isOwn?: ((item: string | undefined) => boolean) | undefined;
}

type Events = readonly StoredEvent[];

const at = (event: StoredEvent): number => Date.parse(event['@timestamp']);
const isUse = ({ 'event.action': action }: StoredEvent): boolean =>
  action === 'view' || action === 'download';
const isView = ({ 'event.action': action }: StoredEvent): boolean => action === 'view';
const own = (events: Events, { isOwn }: About): Events =>
  events.filter((event) => !isOwn || isOwn(event.item));
const dayIn = (event: StoredEvent, timeZone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(at(event))
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
    .toString();
const visitorsOf = (events: Events): Set<string> =>
  new Set(events.flatMap((event) => event['user.id'] ?? []));

export function visitors(events: Events, about: About, timeZone: string): unknown {
  const uses = own(events, about).filter(isUse);
  const known = uses.filter((event) => event['user.id'] !== undefined);
  const days = [...new Set(known.map((event) => dayIn(event, timeZone)))].toSorted().toReversed();
  return {
    total: visitorsOf(uses).size,
    daily: visitorsOf(uses.filter((event) => event['visitor.daily'])).size,
    unknown: uses.length - known.length,
    visitors: Object.fromEntries(
      days.map((day) => [
        day,
        visitorsOf(known.filter((event) => dayIn(event, timeZone) === day)).size,
      ]),
    ),
  };
}

/** Engaged time by page view, sorted. */
export function engagedMs(events: Events, about: About): number[] {
  const pages = new Map<string, number>();
  for (const event of own(events, about)) {
    const { 'event.action': action, 'page.id': page, duration } = event;
    if (action !== 'engagement' || page === undefined || duration === undefined) continue;
    if (duration < 0 || duration >= 86_400_000) continue;
    pages.set(page, (pages.get(page) ?? 0) + duration);
  }
  return [...pages.values()].toSorted((a, b) => a - b);
}

export function vitalValues(events: Events, about: About, name: string): number[] {
  return own(events, about)
    .filter((event) => event['browser.web_vital.name'] === name)
    .flatMap((event) => event['browser.web_vital.value'] ?? [])
    .toSorted((a, b) => a - b);
}

interface ErrorGroup {
  readonly group: {
    readonly fingerprint: string;
    readonly events: number;
    readonly count: number;
    readonly visitors: number;
    readonly first: string;
    readonly last: string;
    readonly noise?: true;
  };
  /** Messages of the events that happened last. */
  readonly messages: readonly string[];
}

export function errors(events: Events, about: About, noise: boolean): readonly ErrorGroup[] {
  const found = own(events, about).filter(
    (event) => event['event.action'] === 'error' && (noise || !event.tags?.includes('noise')),
  );
  return [...Map.groupBy(found, (event) => event['error.grouping_key'] ?? '')]
    .map(([fingerprint, members]) => errorGroup(fingerprint, members))
    .toSorted(
      ({ group: a }, { group: b }) =>
        b.events - a.events || (a.fingerprint < b.fingerprint ? -1 : 1),
    );
}

function errorGroup(fingerprint: string, members: Events): ErrorGroup {
  const times = members.map((event) => event['@timestamp']).toSorted();
  const last = times.at(-1) ?? '';
  return {
    group: {
      fingerprint,
      events: members.length,
      count: members.reduce((sum, event) => sum + Number(event.metrics?.['count'] ?? 1), 0),
      visitors: visitorsOf(members).size,
      first: times[0] ?? '',
      last,
      ...(members.some((event) => event.tags?.includes('noise')) && { noise: true as const }),
    },
    messages: members
      .filter((event) => event['@timestamp'] === last)
      .map((event) => event.message ?? ''),
  };
}

type Path = readonly { readonly item: string; readonly referer: string | undefined }[];

/** The sessions of all visitors: items viewed one after the other. */
export function sessions(events: Events): readonly Path[] {
  const views = events
    .map((event, sequence) => ({ event, sequence }))
    .filter(({ event }) => isView(event) && event.item !== undefined && event['user.id'])
    .toSorted((a, b) => at(a.event) - at(b.event) || a.sequence - b.sequence)
    .map(({ event }) => event);
  const streams = Map.groupBy(views, (event) =>
    JSON.stringify([event['user.id'], event['session.id']]),
  );
  return [...streams.values()].flatMap((stream) => {
    const starts = stream.flatMap((event, index) => {
      const before = stream[index - 1];
      const gap = before ? at(event) - at(before) : Infinity;
      return before && (event['session.id'] !== undefined || gap < 1_800_000) ? [] : [index];
    });
    return starts.map((start, index) =>
      stream.slice(start, starts[index + 1]).map(({ item = '', referer }) => ({ item, referer })),
    );
  });
}

/** Counts of each list element, as [key, count], highest first. */
export function ranked(keys: readonly string[]): readonly (readonly [string, number])[] {
  const groups = Map.groupBy(keys, (key) => key);
  return [...groups]
    .map(([key, members]) => [key, members.length] as const)
    .toSorted(([a, x], [b, y]) => y - x || Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** All that a flow counts: each visit with the two steps before and after it. */
export function visits(events: Events, { isOwn }: Required<About>) {
  return sessions(events).flatMap((path) => {
    const runs: { item: string; own: boolean; referer: string | undefined }[] = [];
    for (const { item, referer } of path) {
      const run = { item, own: isOwn?.(item) ?? false, referer };
      const previous = runs.at(-1);
      if (previous?.item === item || (previous?.own && run.own)) continue;
      runs.push(run);
    }
    return runs.flatMap((run, index) =>
      run.own
        ? [
            {
              before: runs
                .slice(Math.max(0, index - 2), index)
                .map(({ item }) => item)
                .toReversed(),
              after: runs.slice(index + 1, index + 3).map(({ item }) => item),
              referer: index === 0 ? run.referer : undefined,
            },
          ]
        : [],
    );
  });
}

/** Dunning's ratio as 2 Σ O ln(O / E) for every other item that is shared more than by chance. */
export function recommendations(events: Events, { isOwn }: Required<About>) {
  const uses = events.filter((event) => isUse(event) && event.item !== undefined);
  const all = visitorsOf(uses);
  const those = visitorsOf(uses.filter((event) => isOwn?.(event.item)));
  const items = [...new Set(uses.flatMap((event) => event.item ?? []))];
  return items
    .filter((item) => !isOwn?.(item))
    .flatMap((item) => {
      const others = visitorsOf(uses.filter((event) => event.item === item));
      const table = [true, false].flatMap((a) =>
        [true, false].map((b) => ({
          observed: [...all].filter((v) => those.has(v) === a && others.has(v) === b).length,
          expected:
            ((a ? those.size : all.size - those.size) *
              (b ? others.size : all.size - others.size)) /
            all.size,
        })),
      );
      const [both] = table;
      if (!both || !(both.observed > both.expected)) return [];
      const score = table
        .filter(({ observed }) => observed > 0)
        .reduce((sum, { observed, expected }) => sum + observed * Math.log(observed / expected), 0);
      return [{ item, visitors: both.observed, score: 2 * score }];
    });
}

/** Visitors by the furthest step of view, then download or view, then engagement, each another event. */
export function funnel(events: Events, withinMinutes: number): readonly number[] {
  const isStep = [isView, isUse, (event: StoredEvent) => event['event.action'] === 'engagement'];
  const inOrder = events
    .map((event, sequence) => ({ event, sequence }))
    .toSorted((a, b) => at(a.event) - at(b.event) || a.sequence - b.sequence)
    .map(({ event }) => event);
  const furthest = [...visitorsOf(events)].map((visitor) => {
    const path = inOrder.filter((event) => event['user.id'] === visitor);
    const reach = (from: number, step: number, start: number): number =>
      Math.max(
        step,
        ...path.flatMap((event, index) => {
          const first = step === 0 ? at(event) : start;
          const isNext = index > from && (isStep[step]?.(event) ?? false);
          const isInTime = at(event) - first <= withinMinutes * 60_000;
          return isNext && isInTime ? [reach(index, step + 1, first)] : [];
        }),
      );
    return reach(-1, 0, 0);
  });
  return isStep.map((_, step) => furthest.filter((reached) => reached > step).length);
}

/** Of who came first on each of the days (UTC), how many on each later one; the newest first. */
export function retention(events: Events, days: readonly string[]): readonly unknown[] {
  const uses = events.filter(isUse);
  const came = days.map((day) => visitorsOf(uses.filter((event) => dayIn(event, 'UTC') === day)));
  return days
    .map((start, index) => {
      const before = came.slice(0, index);
      const fresh = [...(came[index] ?? [])].filter((one) => !before.some((set) => set.has(one)));
      const returned = came
        .slice(index + 1)
        .map((set) => fresh.filter((visitor) => set.has(visitor)).length);
      return { start, visitors: fresh.length, returned };
    })
    .filter((cohort) => cohort.visitors > 0)
    .toReversed();
}
