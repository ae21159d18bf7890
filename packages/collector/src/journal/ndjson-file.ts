import { dirname } from 'node:path';
import { type Disk, type DiskFile, unlessMissing } from './disk.ts';

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
    const file = (await unlessMissing(disk.open(path))) ?? (await disk.create(path));
    // Also where it was there: a process that died may have left a name that is not durable.
    await disk.syncFolder(dirname(path));
    const { lines, bytes } = await readLines(file);
    // Also where there is nothing to cut: what is read may not have reached the disk yet.
    await file.truncate(bytes);
    return { file: new NdjsonFile(file, bytes), lines };
  }

  /** The whole lines of a file that may be written to meanwhile; none when it is missing. */
  static async read(disk: Disk, path: string): Promise<string[]> {
    const file = await unlessMissing(disk.open(path));
    if (file === undefined) return [];
    try {
      return (await readLines(file)).lines;
    } finally {
      await file.close();
    }
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

async function readLines(file: DiskFile): Promise<{ lines: string[]; bytes: number }> {
  const content = Buffer.alloc(await file.size());
  await file.read(content, 0);
  // A power cut leaves sectors that were never written as zeros, which no JSON holds.
  const torn = content.indexOf(0);
  const bytes = content.subarray(0, torn === -1 ? content.length : torn).lastIndexOf(10) + 1;
  return { lines: content.toString('utf8', 0, bytes).split('\n').slice(0, -1), bytes };
}
