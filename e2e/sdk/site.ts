/** The pages of one scenario, measured by a tracker, on an origin of their own. */
import type { IncomingMessage, ServerResponse } from 'node:http';

import { serveLocally } from './local-server.ts';
import type { PageContent, Scenario } from './scenario.ts';
import type { Tracker } from './tracker.ts';

export interface Site {
  readonly origin: string;
  /** Paths in the order in which they were asked for, with their query. */
  readonly requested: readonly string[];
  /** Resolves when a path has been asked for. */
  until(path: string): Promise<void>;
  close(): Promise<void>;
}

export async function startSite(
  scenario: Scenario,
  tracker: Tracker,
  collectorOrigin: string,
): Promise<Site> {
  const requested: string[] = [];
  const waiting = new Map<string, () => void>();
  const pages: Record<string, PageContent> = { '/': scenario, ...scenario.pages };

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { url = '/' } = request;
    const path = url.replace(/[?].*/, '');
    requested.push(url);
    waiting.get(path)?.();
    // A link to a file leads to no other page, and a click on it leaves no file behind.
    if (/\.\w+$/.test(path) && !pages[path]) return void response.writeHead(204).end();
    const content = pages[path] ?? {};
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...content.headers });
    response.end(document(path, content));
  };

  const document = (path: string, content: PageContent): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>${path}</title>
${content.head ?? ''}
${content.bare ? '' : tracker.head(collectorOrigin, { ...scenario.options, ...content.options })}
</head><body>${content.html ?? ''}</body></html>`;

  const server = await serveLocally(answer);
  return {
    origin: server.origin,
    requested,
    until: (path) =>
      new Promise((resolve) => {
        waiting.set(path, resolve);
        if (requested.includes(path)) resolve();
      }),
    close: server.close,
  };
}
