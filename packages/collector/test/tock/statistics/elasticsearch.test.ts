import { afterAll } from 'vitest';
import { testCluster, type TestCluster } from '../../store/elasticsearch/test-cluster.ts';
import { describeStatistics } from './describe-statistics.ts';

const clusters: TestCluster[] = [];

describeStatistics(
  'Elasticsearch',
  async () => {
    const cluster = await testCluster();
    clusters.push(cluster);
    // Several shards, so that no answer is right only because one shard has it all.
    return cluster.open({ shards: 2 });
  },
  8,
);

afterAll(async () => {
  for (const cluster of clusters) await cluster.clean();
});
