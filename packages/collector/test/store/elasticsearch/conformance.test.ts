import { afterAll } from 'vitest';
import { describeEventStore } from '../conformance.ts';
import { testCluster, type TestCluster } from './test-cluster.ts';

const clusters: TestCluster[] = [];

describeEventStore('Elasticsearch', async () => {
  const cluster = await testCluster();
  clusters.push(cluster);
  // Several shards, so that no answer is right only because one shard has it all.
  return cluster.open({ shards: 2 });
});

afterAll(async () => {
  for (const cluster of clusters) await cluster.clean();
});
