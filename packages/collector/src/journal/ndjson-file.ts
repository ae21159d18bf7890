import { dirname } from 'node:path';
import { type Disk, type DiskFile, errorCode } from './disk.ts';

/**
 * A small file of JSON lines that only grows, each addition durable when its promise resolves. A
 * torn last line is cut when it is opened; a failed addition is cut before the next one.
 */
export class NdjsonFile {
  readonly #file: DiskFile;
  #bytes: number;
  #failed = false;

  private constructor(file: DiskFile, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Opens or makes the file, and returns the lines that are in it. */
  static async open(disk: Disk, path: string): Promise<{ file: NdjsonFile; lines: string[] }> {
    const file = await openOrCreate(disk, path);
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    const end = bytes.lastIndexOf(10) + 1;
    if (end < bytes.length) await file.truncate(end);
    const lines = bytes.toString('utf8', 0, end).split('\n');
    return { file: new NdjsonFile(file, end), lines: lines.slice(0, -1) };
  }

  /** Adds lines, without their `\n`. One call at a time. */
  async append(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    if (this.#failed) await this.#file.truncate(this.#bytes);
    this.#failed = true;
    await this.#file.append(bytes);
    this.#bytes += bytes.length;
    this.#failed = false;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function openOrCreate(disk: Disk, path: string): Promise<DiskFile> {
  try {
    return await disk.open(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  const file = await disk.create(path);
  await disk.syncFolder(dirname(path));
  return file;
}
