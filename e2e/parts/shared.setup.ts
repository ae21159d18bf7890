import { once } from 'node:events';
import { createServer } from 'node:http';

import type { TestProject } from 'vitest/node';

import { type Elasticsearch, startElasticsearch } from './elasticsearch.ts';

/**
 * The global setup of the test run: one address, which starts the shared Elasticsearch when the
 * first test file asks for it. A run whose files never ask does not wait for it.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
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
  };
}

declare module 'vitest' {
  export interface ProvidedContext {
    partsUrl: string;
  }
}
