import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import type { EventStore } from '../event-store.ts';
import { askRoutes } from './ask.ts';
import { homeRoutes } from './home.ts';

export interface PagesParts {
  /** When this process received its last event, epoch ms; undefined before the first. */
  readonly receivedAt: () => number | undefined;
  readonly store: Pick<EventStore, 'query'>;
  /** A folder of pages that is served under `/example/`. */
  readonly exampleDir: string | undefined;
  /** Epoch ms. */
  readonly now: () => number;
}

/** 9999-12-31, the last day that every engine can name. */
const END_OF_TIME_MS = 253_402_214_400_000;

/** What people look at: the greeting, the page to ask, and the example where it is served. */
export function pages({ receivedAt, store, exampleDir, now }: PagesParts): Hono {
  const routes = homeRoutes({
    lastReceivedAt: async () => receivedAt() ?? storedReceivedAt(store),
    exampleItems: exampleDir === undefined ? [] : exampleItems(exampleDir),
    now,
  });
  routes.route('/', askRoutes());
  if (exampleDir === undefined) return routes;
  routes.get('/example', (context) => context.redirect('/example/'));
  routes.use(
    '/example/*',
    serveStatic({ root: exampleDir, rewriteRequestPath: (path) => path.replace('/example', '') }),
  );
  return routes;
}

/** The items that the pages of the example name themselves. */
function exampleItems(dir: string): string[] {
  const sources = readdirSync(dir)
    .filter((name) => name.endsWith('.html'))
    .map((name) => readFileSync(join(dir, name), 'utf8'));
  return sources.flatMap((html) => /data-item="([^"]+)"/u.exec(html)?.[1] ?? []);
}

/** Before this process received any, the store knows; undefined also while it cannot say. */
async function storedReceivedAt(store: PagesParts['store']): Promise<number | undefined> {
  try {
    const [row] = await store.query({
      measures: { last: { kind: 'max', field: 'received' } },
      range: { from: 0, to: END_OF_TIME_MS },
    });
    return typeof row?.['last'] === 'number' ? row['last'] : undefined;
  } catch {
    return undefined;
  }
}
