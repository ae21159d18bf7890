import { randomBytes } from 'node:crypto';
import { ElasticsearchStore } from '../../src/store/elasticsearch/store.ts';
import { describeEventStore } from './conformance.ts';

const url = process.env['METRONOME_ELASTICSEARCH_URL'] ?? 'http://127.0.0.1:9210';

describeEventStore('Elasticsearch', async () => {
  return new ElasticsearchStore({
    nodes: [url],
    prefix: `test-${randomBytes(6).toString('hex')}`,
    shards: 2,
    replicas: 0,
  });
});
