// Runs Elasticsearch for development until it is interrupted: `npm run elasticsearch`. Then
// METRONOME_ELASTICSEARCH_URL=http://127.0.0.1:9210 saves every test run from starting its own.
import { once } from 'node:events';
import { argv } from 'node:process';

import { startElasticsearch } from './elasticsearch.ts';

const elasticsearch = await startElasticsearch({ port: Number(argv[2] ?? 9210), heapMb: 1024 });
console.log(`METRONOME_ELASTICSEARCH_URL=${elasticsearch.url}`);
const keepAlive = setInterval(() => {}, 60_000);
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
await elasticsearch.stop();
clearInterval(keepAlive);
