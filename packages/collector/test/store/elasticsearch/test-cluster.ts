import { randomBytes } from 'node:crypto';
import { Client } from '@elastic/elasticsearch';
import { sharedElasticsearch } from '../../../../../e2e/parts/shared-elasticsearch.ts';
import type { ElasticsearchOptions } from '../../../src/store/elasticsearch/connection.ts';
import { ElasticsearchStore } from '../../../src/store/elasticsearch/store.ts';

/** The shared server under names that no other test uses. */
export interface TestCluster {
  readonly url: string;
  readonly prefix: string;
  readonly client: Client;
  /** A store under these names; the last one is to be closed by the test, with `clean` or before. */
  open(options?: Partial<ElasticsearchOptions>): ElasticsearchStore;
  /** Deletes what was made and closes the stores. */
  clean(): Promise<void>;
}

export async function testCluster(): Promise<TestCluster> {
  const url = await sharedElasticsearch();
  const prefix = `test-${randomBytes(6).toString('hex')}`;
  const client = new Client({ node: url });
  const stores: ElasticsearchStore[] = [];
  return {
    url,
    prefix,
    client,
    open(options = {}) {
      const store = new ElasticsearchStore({ nodes: [url], prefix, replicas: 0, ...options });
      stores.push(store);
      return store;
    },
    async clean() {
      const indices = Object.keys(await client.indices.get({ index: `${prefix}*` }));
      if (indices.length > 0) await client.indices.delete({ index: indices });
      for (const name of [prefix, `${prefix}_rollup`]) {
        await client.indices.deleteIndexTemplate({ name }, { ignore: [404] });
      }
      await Promise.all([client, ...stores].map((each) => each.close()));
    },
  };
}
