import { MetronomeError } from '../errors.ts';
import type { Row } from '../query/query.ts';
import { allOf } from './filters.ts';
import type { Reader } from './statistic.ts';

/** Apps that a refusal names. */
const namedMax = 20;
/** How long a store's one app is believed to be its only one. */
const believedMs = 60_000;

const known = new WeakMap<Reader, { readonly app: string; readonly until: number }>();

/**
 * The app that a request without `app` means: the only one that has events; undefined while there
 * are none. Of `sites`, those that the configuration lists, one with events is enough: then what
 * strangers make up does not count. Throws `bad-request` that names them once there are several.
 *
 * Looking costs a pass over all events, so its answer is kept for a minute. That is safe: until the
 * next look a request means the app that was the only one, never a mixture.
 */
export async function onlyApp(
  store: Reader,
  now: number,
  sites: readonly string[] = [],
): Promise<string | undefined> {
  const believed = known.get(store);
  if (believed && now < believed.until) return believed.app;
  const listed = sites.length > 0 ? await appsOf(store, now, sites) : [];
  const apps = listed.length > 0 ? listed : await appsOf(store, now);
  if (apps.length > 1) throw severalApps(apps);
  const [app] = apps;
  if (app !== undefined) known.set(store, { app, until: now + believedMs });
  return app;
}

async function appsOf(
  store: Reader,
  now: number,
  sites?: readonly string[],
): Promise<readonly string[]> {
  const rows = await store.query({
    measures: { n: { kind: 'count' } },
    dimensions: { app: { kind: 'field', field: 'app' } },
    filter: allOf(
      sites && { kind: 'in', field: 'app', values: sites },
      // Whoever makes up app names without being a page must not stop everybody's tocks.
      { kind: 'not', filter: { kind: 'equals', field: 'bot', value: true } },
    ),
    range: { from: 0, to: now + 86_400_000 },
    limit: namedMax,
  });
  return rows.map((row: Row) => String(row['app']));
}

function severalApps(apps: readonly string[]): MetronomeError {
  const names = apps.toSorted().join(', ');
  return new MetronomeError(
    'bad-request',
    `there are several apps: add app= with one of ${names}`,
    {
      extensions: { apps },
    },
  );
}
