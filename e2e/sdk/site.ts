/** The pages of one scenario, measured by a tracker, on an origin of their own. */
import type { IncomingMessage, ServerResponse } from 'node:http';

import { serveLocally } from './local-server.ts';
import type { PageContent, Scenario } from './scenario.ts';
import type { Tracker } from './tracker.ts';

export interface Site {
  readonly origin: string;
  /** The same pages from another host. */
  readonly otherOrigin: string;
  /** The HTML of a path. */
  document(path: string): string;
  /** Resolves when a path has been asked for. */
  until(path: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Every path is a page, but those under `/files/`: these answer with nothing, so that a click on a
 * link to one leads nowhere, and no file is left behind.
 */
export async function startSite(
  scenario: Scenario,
  tracker: Tracker,
  collectorOrigin: string,
): Promise<Site> {
  const requested = new Set<string>();
  const waiting = new Map<string, () => void>();
  const pages: Record<string, PageContent> = {
    '/': scenario,
    '/bare': { bare: true },
    ...scenario.pages,
  };

  const answer = ({ url = '/' }: IncomingMessage, response: ServerResponse): void => {
    const path = url.replace(/[?].*/, '');
    requested.add(path);
    waiting.get(path)?.();
    if (path.startsWith('/files/')) return void response.writeHead(204).end();
    const headers = Object.entries(pages[path]?.headers ?? {}).map(([name, value]) => [
      name,
      value.replaceAll('COLLECTOR', collectorOrigin),
    ]);
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      ...(Object.fromEntries(headers) as Record<string, string>),
    });
    response.end(pages[path]?.text ?? document(path));
  };

  const document = (path: string): string => {
    const { bare, options, attributes, head = '', html = '' } = pages[path] ?? {};
    const tags = tracker.head(collectorOrigin, { ...scenario.options, ...options }, attributes);
    const text = `<!doctype html><html lang="en">
<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>${path}</title>
${head}${bare ? '' : tags}</head>
<body>${html}</body></html>`;
    return text.replaceAll('COLLECTOR', collectorOrigin);
  };

  const { origin, close } = await serveLocally(answer);
  return {
    origin,
    otherOrigin: origin.replace('127.0.0.1', 'localhost'),
    document,
    until: (path) =>
      new Promise((resolve) => {
        waiting.set(path, resolve);
        if (requested.has(path)) resolve();
      }),
    close,
  };
}
