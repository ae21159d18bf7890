import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether packages can be installed and other users become possible: false on Windows. */
export const isRoot: boolean = process.getuid?.() === 0;

/**
 * The folder that keeps what is fetched once: `METRONOME_PARTS_DIR`, else `.parts` in the
 * repository. Root's servers run as another user, who cannot enter a checkout under `/root`:
 * there it is a folder of the system's temporary files.
 */
export async function partsDir(): Promise<string> {
  const configured = process.env['METRONOME_PARTS_DIR'];
  if (configured) return resolve(configured);
  const inRepository = resolve(import.meta.dirname, '../../.parts');
  const usable = !isRoot || (await everyoneCanEnter(dirname(inRepository)));
  return usable ? inRepository : join(tmpdir(), 'metronome-parts');
}

/** The full path of a command on the PATH, or undefined. */
export async function findCommand(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder && (await isExecutable(path))) return path;
  }
  return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/**
 * Installs Debian packages when root on a machine with apt.
 * @param purpose what the packages are needed for, as in "to fetch Elasticsearch"
 * @throws Error whose message names the packages, where they cannot be installed
 */
export async function installPackages(packages: readonly string[], purpose: string): Promise<void> {
  if (packages.length === 0) return;
  const names = packages.join(' ');
  if (!isRoot || !(await findCommand('apt-get'))) {
    const advice = `on Debian: sudo apt-get install ${names}`;
    throw new Error(`${names} must be installed ${purpose} (${advice})`);
  }
  console.log(`Installing ${names} (${purpose})`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, maxBuffer: 64 * 1024 * 1024 };
  await run('apt-get', ['-q', 'update'], options);
  await run('apt-get', ['-q', '-y', '--no-install-recommends', 'install', ...packages], options);
}

async function everyoneCanEnter(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & 0o001) === 0) return false;
  const parent = dirname(folder);
  return parent === folder || everyoneCanEnter(parent);
}
