import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { findCommand, installPackages, isExecutable, partsDir } from './install.ts';

const run = promisify(execFile);

const ELASTICSEARCH_VERSION = '9.2.8';
const JAVA_VERSION_MIN = 21;
const JDK_PACKAGE = 'openjdk-21-jdk-headless';

/**
 * Fetches Elastic's distribution for integration tests by Maven, once.
 * @returns the folder with its `bin`
 */
export async function elasticsearchHome(version: string = ELASTICSEARCH_VERSION): Promise<string> {
  const parts = await partsDir();
  const name = `elasticsearch-${version}`;
  const home = join(parts, name);
  if (await isExecutable(join(home, 'bin/elasticsearch'))) return home;

  if (!(await findCommand('mvn'))) await installPackages(['maven'], 'to fetch Elasticsearch');
  console.log(`Fetching Elasticsearch ${version}`);
  await mkdir(parts, { recursive: true });
  const unfinished = await mkdtemp(join(parts, 'unfinished-'));
  const artifact = `org.elasticsearch.distribution.integ-test-zip:elasticsearch:${version}:zip`;
  try {
    await run(
      'mvn',
      [
        '-q',
        '-B',
        'dependency:unpack',
        `-Dartifact=${artifact}`,
        `-DoutputDirectory=${unfinished}`,
      ],
      // Maven leaves marker files in its working folder.
      { cwd: unfinished },
    );
    await rename(join(unfinished, name), home);
  } catch (error) {
    // Another process may have been quicker.
    if (!(await isExecutable(join(home, 'bin/elasticsearch')))) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return home;
}

/**
 * Finds a JDK that Elasticsearch runs on, or installs Debian's. A slim runtime lacks modules that
 * it requires.
 * @returns a JAVA_HOME
 */
export async function javaHome(): Promise<string> {
  const found = await findJdk();
  if (found !== undefined) return found;
  const error = new Error(
    `Elasticsearch needs a JDK of version ${JAVA_VERSION_MIN} or newer: install one and set ES_JAVA_HOME`,
  );
  await installPackages([JDK_PACKAGE], 'to run Elasticsearch').catch((cause: unknown) => {
    error.cause = cause;
    throw error;
  });
  const installed = await findJdk();
  if (installed === undefined) throw error;
  return installed;
}

async function findJdk(): Promise<string | undefined> {
  for (const home of await javaHomes()) {
    if ((await jdkVersion(home)) >= JAVA_VERSION_MIN) return home;
  }
  return undefined;
}

async function javaHomes(): Promise<string[]> {
  const linux = '/usr/lib/jvm';
  const mac = '/Library/Java/JavaVirtualMachines';
  return [
    process.env['ES_JAVA_HOME'],
    process.env['JAVA_HOME'],
    ...(await readdir(linux).catch(() => [])).map((name) => join(linux, name)),
    ...(await readdir(mac).catch(() => [])).map((name) => join(mac, name, 'Contents/Home')),
  ].filter((home) => typeof home === 'string');
}

async function jdkVersion(home: string): Promise<number> {
  if (!(await isExecutable(join(home, 'bin/javac')))) return 0;
  const release = await readFile(join(home, 'release'), 'utf8').catch(() => '');
  return Number(/^JAVA_VERSION="(\d+)/m.exec(release)?.[1] ?? 0);
}
