import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import {
  addSuperuser,
  makeCertificate,
  type Runtime,
  type Settings,
  writeConfig,
} from './elasticsearch-config.ts';
import { elasticsearchHome, javaHome } from './elasticsearch-distribution.ts';
import { freePorts } from './free-ports.ts';
import { type GuardedProcess, spawnGuarded } from './guarded-process.ts';
import { isRoot } from './install.ts';

const run = promisify(execFile);

const START_TIMEOUT_MS = 180_000;
const POLL_INTERVAL_MS = 200;
/** Elasticsearch refuses to run as root. */
const UNPRIVILEGED_USER = 'metronome-parts';

export type ElasticsearchOptions = {
  /** Default 1. */
  nodes?: number;
  /** Of each node; default 512. */
  heapMb?: number;
  /** A superuser of the file realm, with basic authentication. */
  security?: boolean;
  /** HTTPS with a certificate of its own; implies `security`. */
  tls?: boolean;
  version?: string;
  /** More lines of `elasticsearch.yml`, for every node. */
  settings?: Settings;
  /** Of the first node; default: a free one. */
  port?: number;
};

type ElasticsearchNode = {
  readonly url: string;
  /** Of the server's JVM (of the running or, killed, of the last one). */
  readonly pid: number;
  /** SIGKILL; resolves when the node is gone. Its data stay. */
  kill(): Promise<void>;
  /** Starts a killed node on its old port and data; resolves when it sees an elected master. */
  start(): Promise<void>;
};

export type Elasticsearch = {
  /** Of the first node. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /** The certificate that clients have to trust, with `tls`. */
  readonly caPath?: string;
  readonly nodes: readonly ElasticsearchNode[];
  /** Kills every node and deletes the data. */
  stop(): Promise<void>;
};

/**
 * Starts a real Elasticsearch on 127.0.0.1 with an empty, temporary data folder, and resolves
 * when all its nodes have joined (one node: some 15 s). It ends with this process at the latest.
 * @throws Error that quotes the server's log, when it does not come up
 */
export async function startElasticsearch(
  options: ElasticsearchOptions = {},
): Promise<Elasticsearch> {
  const folder = await mkdtemp(join(tmpdir(), 'metronome-elasticsearch-'));
  const runtime = await findRuntime(folder, options.version);
  const plan = await planCluster(options);
  const access = await prepare(runtime, folder, plan, options);

  const nodes = plan.map((node) => startNode(runtime, folder, node, access));
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(nodes.map((node) => node.ready(nodes.length)));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: firstOf(plan).url, ...access, nodes, stop };
}

type Access = { user?: string; password?: string; caPath?: string };
type NodePlan = { name: string; url: string; settings: Settings };

async function findRuntime(folder: string, version: string | undefined): Promise<Runtime> {
  const runtime = {
    home: await elasticsearchHome(version),
    env: { PATH: process.env['PATH'], HOME: folder, ES_JAVA_HOME: await javaHome() },
  };
  return isRoot ? { ...runtime, ...(await unprivilegedUser()) } : runtime;
}

async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  await userId('-u').catch(() =>
    run('useradd', ['--system', '--user-group', '--no-create-home', UNPRIVILEGED_USER]),
  );
  return { uid: await userId('-u'), gid: await userId('-g') };
}

async function userId(flag: '-u' | '-g'): Promise<number> {
  return Number((await run('id', [flag, UNPRIVILEGED_USER])).stdout);
}

async function planCluster(options: ElasticsearchOptions): Promise<NodePlan[]> {
  const count = options.nodes ?? 1;
  const names = Array.from({ length: count }, (_, index) => `node-${index + 1}`);
  const transports = await freePorts(count);
  const [first, ...others] = await freePorts(count);
  const ports = [options.port ?? first, ...others];
  const cluster: Settings =
    count === 1
      ? { 'discovery.type': 'single-node' }
      : {
          'discovery.seed_hosts': transports.map((port) => `127.0.0.1:${port}`),
          'cluster.initial_master_nodes': names,
        };
  return names.map((name, index) => ({
    name,
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${ports[index]}`,
    settings: {
      'cluster.name': `metronome-${ports[0]}`,
      'node.name': name,
      'network.host': '127.0.0.1',
      'http.port': String(ports[index]),
      'transport.port': String(transports[index]),
      'cluster.routing.allocation.disk.threshold_enabled': false,
      ...cluster,
      ...securitySettings(options),
      ...options.settings,
    },
  }));
}

function securitySettings({ security, tls }: ElasticsearchOptions): Settings {
  if (!security && !tls) return { 'xpack.security.enabled': false };
  const enabled = {
    'xpack.security.enabled': true,
    'xpack.security.transport.ssl.enabled': false,
    'xpack.security.autoconfiguration.enabled': false,
  };
  if (!tls) return enabled;
  return {
    ...enabled,
    'xpack.security.http.ssl.enabled': true,
    'xpack.security.http.ssl.key': 'http.key',
    'xpack.security.http.ssl.certificate': 'http.crt',
  };
}

/** Writes the nodes' folders, and makes the user and the certificate that they share. */
async function prepare(
  runtime: Runtime,
  folder: string,
  plan: readonly NodePlan[],
  options: ElasticsearchOptions,
): Promise<Access> {
  const template = { ...runtime, home: join(folder, 'template') };
  const config = join(template.home, 'config');
  await writeConfig(runtime.home, config, firstOf(plan).settings, 64);
  const certificate = options.tls ? await makeCertificate(config) : {};
  await giveToUser(runtime, folder);
  const user = options.security || options.tls ? await addSuperuser(runtime, config) : {};
  for (const { name, settings } of plan) {
    const node = join(folder, name);
    const paths = { 'path.data': join(node, 'data'), 'path.logs': join(node, 'logs') };
    await mkdir(join(node, 'tmp'), { recursive: true });
    await writeConfig(
      template.home,
      join(node, 'config'),
      { ...settings, ...paths },
      options.heapMb ?? 512,
    );
  }
  await giveToUser(runtime, folder);
  return { ...user, ...certificate };
}

async function giveToUser({ uid, gid }: Runtime, folder: string): Promise<void> {
  if (uid !== undefined) await run('chown', ['-R', `${uid}:${gid}`, folder]);
}

type StartingNode = ElasticsearchNode & { ready(nodeCount: number): Promise<void> };

function startNode(
  runtime: Runtime,
  folder: string,
  { name, url }: NodePlan,
  access: Access,
): StartingNode {
  const { home, env, ...owner } = runtime;
  const pidFile = join(folder, name, 'pid');
  const launch = (): GuardedProcess =>
    spawnGuarded(join(home, 'bin/elasticsearch'), ['-p', pidFile], {
      ...owner,
      folder,
      env: {
        ...env,
        ES_PATH_CONF: join(folder, name, 'config'),
        ES_TMPDIR: join(folder, name, 'tmp'),
      },
    });
  let server = launch();
  let pid = 0;
  const ready = async (nodeCount: number): Promise<void> => {
    await waitForNodes(server, url, access, nodeCount);
    pid = Number(await readFile(pidFile, 'utf8'));
  };
  return {
    url,
    get pid() {
      return pid;
    },
    ready,
    kill: () => server.kill(),
    async start() {
      if (!server.hasEnded()) throw new Error(`The node at ${url} is running`);
      server = launch();
      await ready(1);
    },
  };
}

async function waitForNodes(
  server: GuardedProcess,
  url: string,
  access: Access,
  nodeCount: number,
): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  const ca = access.caPath && (await readFile(access.caPath));
  const auth = access.user && `${access.user}:${access.password}`;
  const options = { ...(ca && { ca }), ...(auth && { auth }) };
  for (;;) {
    const health: unknown = await getJson(`${url}/_cluster/health`, options).catch(() => undefined);
    if (numberOfNodes(health) >= nodeCount) return;
    if (server.hasEnded() || Date.now() > deadline) {
      throw new Error(`Elasticsearch did not start at ${url}:\n${server.output()}`);
    }
    await delay(POLL_INTERVAL_MS);
  }
}

function numberOfNodes(health: unknown): number {
  const known = typeof health === 'object' && health !== null && 'number_of_nodes' in health;
  return known ? Number(health.number_of_nodes) : 0;
}

/** `fetch` cannot be told which certificate to trust. */
async function getJson(url: string, options: https.RequestOptions): Promise<unknown> {
  const { get } = url.startsWith('https:') ? https : http;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const signal = AbortSignal.timeout(5_000);
    get(url, { ...options, agent: false, signal }, resolve).on('error', reject);
  });
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}: ${body}`);
  return JSON.parse(body);
}

function firstOf(plan: readonly NodePlan[]): NodePlan {
  const [first] = plan;
  if (!first) throw new Error('A cluster has at least one node');
  return first;
}
