import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestProject } from 'vitest/node';

import { type Elasticsearch, startElasticsearch } from './elasticsearch.ts';

/**
 * The global setup of the test run: a temporary folder for all of its files, which goes when they
 * are done, and one address, which starts the shared Elasticsearch when the first of them asks for
 * it. A run whose files never ask does not wait for it.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'metronome-test-'));
  // Elasticsearch and the browsers run as somebody else, who has to pass.
  chmodSync(folder, 0o711);
  process.env['TMPDIR'] = folder;

  let elasticsearch: Promise<Elasticsearch> | undefined;
  const server = createServer((_request, response) => {
    elasticsearch ??= startElasticsearch({ heapMb: 1024 });
    elasticsearch.then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Not a TCP server');
  project.provide('partsUrl', `http://127.0.0.1:${address.port}`);

  return async () => {
    server.close();
    const started = await elasticsearch?.catch(() => undefined);
    await started?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
}

declare module 'vitest' {
  export interface ProvidedContext {
    partsUrl: string;
  }
}
