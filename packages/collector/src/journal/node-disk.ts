import { close, constants, fdatasync, fsync, ftruncate, fstat, open, read, write } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { MetronomeError } from '../errors.ts';
import type { Disk, DiskFile } from './disk.ts';

const openFile = promisify(open);
const sync = promisify(fsync);
const closeFile = promisify(close);

const { O_APPEND, O_CREAT, O_DSYNC, O_EXCL, O_RDWR } = constants;

/**
 * On Linux a write to an `O_DSYNC` file is durable when it returns: one trip through the thread
 * pool for write and fdatasync, measured at two thirds of the processor time of two trips.
 * Elsewhere (macOS, where O_DSYNC stops at the drive's cache, and Windows) fdatasync follows.
 */
const WRITES_ARE_DURABLE = process.platform === 'linux';
const FLAGS = O_RDWR | O_APPEND | (WRITES_ARE_DURABLE ? O_DSYNC : 0);

/** Events are nothing for the other users of a machine, whatever the modes of the files within. */
const FOLDER_MODE = 0o750;

/** The real disk. */
export const nodeDisk: Disk = {
  async list(folder) {
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  },
  create: async (path) => nodeFile(await openFile(path, FLAGS | O_CREAT | O_EXCL, 0o640)),
  open: async (path) => nodeFile(await openFile(path, FLAGS)),
  async replace(path, content) {
    const draft = `${path}.new`;
    await writeFile(draft, content, { flush: true, mode: 0o640 });
    await rename(draft, path);
    await syncFolder(dirname(path));
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  syncFolder,
  async freeBytes(folder) {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  },
  lock,
};

function nodeFile(fd: number): DiskFile {
  return {
    append: (bytes) =>
      new Promise((resolve, reject) => {
        appendFrom(fd, bytes, 0, (error) => (error === null ? resolve() : reject(error)));
      }),
    read: (buffer, position) => readFully(fd, buffer, position),
    size: async () => (await promisify(fstat)(fd)).size,
    async truncate(bytes) {
      await promisify(ftruncate)(fd, bytes);
      await sync(fd);
    },
    close: () => closeFile(fd),
  };
}

/** The hot path: callbacks, no promise for each part of the trip. */
function appendFrom(
  fd: number,
  bytes: Uint8Array,
  from: number,
  done: (error: Error | null) => void,
): void {
  write(fd, bytes, from, bytes.length - from, null, (error, written) => {
    if (error !== null) done(error);
    else if (from + written < bytes.length) appendFrom(fd, bytes, from + written, done);
    else if (WRITES_ARE_DURABLE) done(null);
    else fdatasync(fd, done);
  });
}

async function readFully(fd: number, buffer: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await promisify(read)(
      fd,
      buffer,
      filled,
      buffer.length - filled,
      position + filled,
    );
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const fd = await openFile(folder, constants.O_RDONLY);
  try {
    await sync(fd);
  } finally {
    await closeFile(fd);
  }
}

/**
 * The lock is SQLite's on an empty database: the kernel holds it and drops it when the process
 * dies, however it dies, so that no lock is ever stale. (Node has no flock; a file with a process
 * id in it misleads in containers, where every process has the same one.) `owner` is only for
 * the message.
 */
async function lock(folder: string): Promise<() => Promise<void>> {
  try {
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    return await lockWithin(folder);
  } catch (cause) {
    if (cause instanceof MetronomeError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MetronomeError('config', `${folder} cannot be used: ${reason}.`, { cause });
  }
}

async function lockWithin(folder: string): Promise<() => Promise<void>> {
  const owner = join(folder, 'owner');
  const database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if (!isBusy(cause)) throw cause;
    const who = await readFile(owner, 'utf8').catch(() => 'unknown');
    const message = `${folder} is in use by another process (${who.trim()}).`;
    throw new MetronomeError('config', message, { cause });
  }
  await writeFile(owner, `pid ${process.pid}, since ${new Date().toISOString()}\n`);
  return async () => {
    await rm(owner, { force: true });
    database.close();
  };
}

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
