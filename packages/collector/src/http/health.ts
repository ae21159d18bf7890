import { Hono } from 'hono';
import type { Metrics } from './metrics.ts';

/** Whether a part can do its work, and if not why, in a sentence without secrets. */
export interface PartState {
  readonly ready: boolean;
  readonly reason?: string | undefined;
}

export type Readiness = () => Promise<Readonly<Record<string, PartState>>>;

/** `GET /health` (alive), `GET /ready` (which part is not), `GET /metrics` (Prometheus). */
export function healthRoutes(readiness: Readiness, metrics: Metrics): Hono {
  const routes = new Hono();
  routes.get('/health', (context) => context.json({ status: 'ok' }));
  routes.get('/ready', async (context) => {
    const parts = await readiness();
    const ready = Object.values(parts).every((part) => part.ready);
    return context.json({ ready, parts }, ready ? 200 : 503);
  });
  routes.get('/metrics', async (context) =>
    context.body(await metrics.text(), 200, { 'Content-Type': metrics.contentType }),
  );
  return routes;
}
