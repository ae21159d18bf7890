import { Hono } from 'hono';
import { audit } from '../delivery/audit.ts';
import type { RejectLog } from '../delivery/reject-log.ts';
import { MetronomeError } from '../errors.ts';
import type { EventStore } from '../event-store.ts';
import type { Journal } from '../journal/journal.ts';
import { explainRoutes } from './explain.ts';
import { problem } from './problem.ts';
import { type RestoreParts, restoreRoutes } from './restore.ts';
import { type SelectedEventParts, selectedEventRoutes } from './selected-events.ts';
import { type TockParts, tockRoutes } from './tock.ts';
import { Access } from './access.ts';

export interface CommandParts extends TockParts, SelectedEventParts, RestoreParts {
  readonly journal: Journal;
  readonly store: EventStore;
  readonly rejects: RejectLog;
}

const OPEN = new Access({ writeKeys: [], readTokens: [], origins: [] });

/**
 * What the `metronome` program asks of the process that owns the data folder, over a socket in
 * it. The folder's permissions are the key.
 */
export function commandRoutes(parts: CommandParts): Hono {
  const routes = new Hono();
  routes.route('/', tockRoutes({ ...parts, access: OPEN }));
  routes.route('/', explainRoutes(parts));
  routes.route('/', selectedEventRoutes(parts));
  routes.route('/', restoreRoutes(parts));
  routes.get('/audit', async (context) => context.json(await audit(parts)));
  routes.get('/rollups', async (context) => context.json(await parts.store.rollups()));
  routes.post('/rollups/rebuild', async (context) => {
    await parts.store.rebuildRollup(context.req.query('name') ?? '');
    return context.body(null, 204);
  });
  routes.get('/rejects', async (context) => context.json(await parts.rejects.list()));
  routes.post('/rejects/retry', async (context) =>
    context.json({ retried: await parts.rejects.retry(parts.journal, () => true) }),
  );
  routes.notFound((context) =>
    problem(context, new MetronomeError('not-found', `There is no command ${context.req.path}.`)),
  );
  routes.onError((error, context) => problem(context, error));
  return routes;
}
