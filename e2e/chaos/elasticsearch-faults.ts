/** Everything that an Elasticsearch does to its clients on a bad day; intake must not notice. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Elasticsearch, startElasticsearch } from '../parts/elasticsearch.ts';
import { delivers } from './delivers.ts';
import { type Notes, notesOf } from './notes.ts';
import { OUTAGES, startOutageProxy } from './outage-proxy.ts';
import type { RunReport } from './report.ts';
import { play, type Scene, type SceneOptions } from './scene.ts';
import { indicesOn } from './stores.ts';

const OUTAGE_MS = 5_000;
/** So few events that what waits is soon caught up with. */
const REST_MS = 300;

export type FaultOptions = Omit<SceneOptions, 'store'>;

/** One node: unreachable, slow, refusing, read-only, killed and started again. */
export async function elasticsearchOutages(options: FaultOptions): Promise<RunReport> {
  const elasticsearch = await startElasticsearch({ heapMb: 1024 });
  const proxy = await startOutageProxy(elasticsearch.url);
  const store = indicesOn(proxy.url);
  try {
    return await play({ ...options, store, restMs: REST_MS }, async (scene) => {
      const show = notesOf(scene);
      const { seat } = scene;
      await seat.start().listening;
      for (const mode of OUTAGES) {
        proxy.mode = mode;
        await delay(OUTAGE_MS);
        await show.expect(`${mode}: intake goes on`, scene.takes());
        if (mode === 'lose') {
          await seat.victim?.kill();
          await seat.start().listening;
        }
        proxy.mode = 'pass';
        await show.expect(`${mode}: delivers again`, delivers(scene.seat));
      }
      await readOnly(elasticsearch.url, scene, show);
      const [node] = elasticsearch.nodes;
      await node?.kill();
      await show.expect('killed: intake goes on', scene.takes());
      await node?.start();
      await show.expect('started again: delivers again', delivers(scene.seat));
      return { notes: show.notes };
    });
  } finally {
    await proxy.close();
    await elasticsearch.stop();
  }
}

/** What the flood stage of the disk watermark does to all indices. */
async function readOnly(url: string, scene: Scene, show: Notes): Promise<void> {
  const block = async (value: true | null): Promise<void> => {
    const prefix = scene.seat.env['METRONOME_ELASTICSEARCH_PREFIX'];
    const response = await fetch(`${url}/${prefix}*/_settings`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ 'index.blocks.read_only_allow_delete': value }),
    });
    if (!response.ok) throw new Error(await response.text());
  };
  await block(true);
  await delay(OUTAGE_MS);
  await show.expect('read-only: intake goes on', scene.takes());
  await block(null);
  await show.expect('writable again: delivers again', delivers(scene.seat));
}

/** Three nodes, one replica: each is killed once, one of them beside the collector. */
export async function nodeLoss(options: FaultOptions): Promise<RunReport> {
  const cluster = await startElasticsearch({ nodes: 3, heapMb: 512 });
  const urls = cluster.nodes.map(({ url }) => url).join(',');
  const store = indicesOn(urls, 1);
  try {
    return await play({ ...options, store, restMs: REST_MS }, async (scene) => {
      const show = notesOf(scene);
      const { seat } = scene;
      await seat.start().listening;
      await show.expect('takes events before', scene.takes());
      for (const [index, node] of cluster.nodes.entries()) {
        await isGreen(cluster);
        await node.kill();
        await show.expect(`node ${index + 1} of 3 killed: intake goes on`, scene.takes());
        if (index === 1) {
          await seat.victim?.kill();
          await seat.start().listening;
        }
        await show.expect(`node ${index + 1} of 3 killed: delivers`, delivers(scene.seat));
        await node.start();
      }
      await isGreen(cluster);
      return { notes: show.notes };
    });
  } finally {
    await cluster.stop();
  }
}

const GREEN_PATIENCE_S = 120;

async function isGreen({ nodes }: Elasticsearch): Promise<void> {
  const query = `wait_for_status=green&wait_for_nodes=${nodes.length}&timeout=${GREEN_PATIENCE_S}s`;
  const response = await fetch(`${nodes[0]?.url}/_cluster/health?${query}`);
  if (!response.ok) throw new Error(`The cluster is not green: ${await response.text()}`);
}
