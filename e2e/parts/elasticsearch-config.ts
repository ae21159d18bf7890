import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { findCommand, installPackages } from './install.ts';

const run = promisify(execFile);

export type Settings = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** What Elasticsearch and its tools are run with. */
export type Runtime = {
  home: string;
  env: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
};

/** Writes a node's configuration folder: the distribution's own with other settings and heap. */
export async function writeConfig(
  home: string,
  folder: string,
  settings: Settings,
  heapMb: number,
): Promise<void> {
  await cp(join(home, 'config'), folder, { recursive: true });
  const lines = Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  await writeFile(join(folder, 'elasticsearch.yml'), `${lines.join('\n')}\n`);
  const jvm = join(folder, 'jvm.options');
  // Older versions put the log of the garbage collector into the folder of the distribution.
  const options = (await readFile(jvm, 'utf8')).replaceAll(/^.*-Xlog:gc.*$/gm, '');
  await writeFile(jvm, `${options}\n-Xms${heapMb}m\n-Xmx${heapMb}m\n`);
}

/** Makes a superuser of the file realm. */
export async function addSuperuser(
  runtime: Runtime,
  configFolder: string,
): Promise<{ user: string; password: string }> {
  const user = 'metronome';
  const password = randomUUID();
  const { home, env, ...owner } = runtime;
  await run(
    join(home, 'bin/elasticsearch-users'),
    ['useradd', user, '-p', password, '-r', 'superuser'],
    { ...owner, env: { ...env, ES_PATH_CONF: configFolder } },
  );
  return { user, password };
}

/** Makes a key and a certificate for 127.0.0.1 that is its own authority, `http.key` and `.crt`. */
export async function makeCertificate(folder: string): Promise<{ caPath: string }> {
  if (!(await findCommand('openssl'))) await installPackages(['openssl'], 'to make a certificate');
  await mkdir(folder, { recursive: true });
  const caPath = join(folder, 'http.crt');
  const subject = [
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=IP:127.0.0.1,DNS:localhost',
  ];
  const files = ['-keyout', join(folder, 'http.key'), '-out', caPath];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files]);
  return { caPath };
}
