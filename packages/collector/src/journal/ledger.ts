import { join } from 'node:path';
import { MetronomeError } from '../errors.ts';
import { isRecord } from '../is-record.ts';
import type { Disk } from './disk.ts';
import { JOURNAL_VERSION } from './frame.ts';
import { NdjsonFile } from './ndjson-file.ts';

/** One file of the journal. All its events were received on one UTC day. */
export interface Segment {
  /** Sequence of its first event, by which it is known. */
  readonly segment: number;
  /** Sequence of its last event. */
  readonly last: number;
  /** Bytes of the file up to the end of its last frame. */
  readonly bytes: number;
  /** Commit time of its first frame, epoch ms. */
  readonly created: number;
}

/**
 * What the journal remembers for ever: its id, and every closed segment. By it `audit` knows how
 * many events were acknowledged on each day long after the segments are gone, and a journal that
 * is empty knows its next sequence. A segment is removed only after its line here is durable;
 * the line of a segment that is still there can be found again by reading it.
 */
export class Ledger {
  readonly collector: string;
  /** All closed segments, ascending. */
  readonly segments: Segment[];
  readonly #file: NdjsonFile;
  #unwritten: Segment[] = [];
  #writing: Promise<void> = Promise.resolve();

  private constructor(collector: string, segments: Segment[], file: NdjsonFile) {
    this.collector = collector;
    this.segments = segments;
    this.#file = file;
  }

  /** @param identity makes the id of a new journal; throws where there must be an old one. */
  static async open(disk: Disk, folder: string, identity: () => string): Promise<Ledger> {
    const path = join(folder, LEDGER_NAME);
    if (!(await disk.list(folder)).includes(LEDGER_NAME)) {
      const head = { journal: JOURNAL_VERSION, collector: identity() };
      await disk.replace(path, `${JSON.stringify(head)}\n`);
    }
    const { file, lines } = await NdjsonFile.open(disk, path);
    try {
      const [head = '', ...rest] = lines;
      return new Ledger(parseHead(head), rest.map(parseSegment), file);
    } catch (cause) {
      await file.close();
      throw new MetronomeError('config', `${path} is damaged: restore it from a copy.`, { cause });
    }
  }

  /** Remembers a closed segment; durable after `flush`. */
  add(segment: Segment): void {
    this.segments.push(segment);
    this.#unwritten.push(segment);
  }

  /** Makes all segments durable. When it throws, the next call tries them again. */
  flush(): Promise<void> {
    const written = this.#writing.then(() => this.#write());
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #write(): Promise<void> {
    const segments = this.#unwritten;
    if (segments.length === 0) return;
    this.#unwritten = [];
    try {
      await this.#file.append(segments.map((segment) => JSON.stringify(segment)));
    } catch (error) {
      this.#unwritten = [...segments, ...this.#unwritten];
      throw error;
    }
  }
}

export const LEDGER_NAME = 'ledger';

function parseHead(line: string): string {
  const head: unknown = JSON.parse(line);
  if (!isRecord(head) || head['journal'] !== JOURNAL_VERSION) throw new Error('another version');
  const { collector } = head;
  if (typeof collector !== 'string' || !/^[\w-]{1,64}$/u.test(collector)) throw new Error('no id');
  return collector;
}

function parseSegment(line: string): Segment {
  const value: unknown = JSON.parse(line);
  if (!isRecord(value)) throw new Error('not an object');
  const number = (key: keyof Segment): number => {
    const found = value[key];
    if (typeof found !== 'number') throw new Error(`no ${key}`);
    return found;
  };
  return {
    segment: number('segment'),
    last: number('last'),
    bytes: number('bytes'),
    created: number('created'),
  };
}
