import { basename, dirname } from 'node:path';
import type { Disk, DiskFile } from '../../src/journal/disk.ts';

/** Bytes that are written whole or not at all when the power goes. */
const SECTOR_BYTES = 512;

interface Inode {
  /** What a reader sees. */
  content: Buffer;
  /** What is on the platter. */
  durable: Buffer;
  /** A write failed: until the file is cut, later ones claim success and are not durable. */
  poisoned?: boolean;
}

type Names = Map<string, Inode>;

/** Takes effect: wholly when `synced`, else `part` (0..1) of it for readers, and any of that durably. */
type Apply<T> = (part: number, synced: boolean) => T;
type Run = <T>(apply: Apply<T>) => Promise<T>;

/** What happens to the operation that is reached by the countdown. */
interface Fault {
  countdown: number;
  readonly code: 'EIO' | 'ENOSPC';
  /** 0..1: how much of the operation takes effect. */
  readonly part: number;
}

/**
 * A disk in memory that loses power inside any operation, fails in any, and fills up. As on a real
 * one, names are durable only after `syncFolder`, and what was not acknowledged may survive in
 * part: any length of it, with any of its sectors never written.
 */
export class SimulatedDisk {
  #names: Names = new Map();
  #durableNames: Names = new Map();
  readonly #locked = new Set<string>();
  #generation = 0;
  #faults: Fault[] = [];
  #crashIn: number | undefined;
  #died = Promise.withResolvers<void>();
  /** Bytes that all files together may have. */
  capacityBytes: number = Number.POSITIVE_INFINITY;
  dead = false;

  /** Resolves when the power goes or the process is killed. */
  get died(): Promise<void> {
    return this.#died.promise;
  }

  /** The power goes inside an operation: 0 is the next one. */
  crashAfter(operations: number): void {
    this.#crashIn = operations;
  }

  /** So many operations in a row fail: after 0 begins with the next one. */
  failAfter(operations: number, times: number, code: Fault['code'], part: number): void {
    this.#faults.push({ countdown: operations, code, part });
    for (let more = 1; more < times; more++) this.#faults.push({ countdown: 0, code, part });
  }

  heal(): void {
    this.#faults = [];
    this.#crashIn = undefined;
    this.capacityBytes = Number.POSITIVE_INFINITY;
  }

  /** The power goes, or the process is killed, between two operations. */
  die(): void {
    this.dead = true;
    this.#died.resolve();
  }

  /** The process that died is started again; what it wrote is still there for readers. */
  restart(): void {
    this.#locked.clear();
    this.#generation += 1;
    this.#crashIn = undefined;
    this.#faults = [];
    this.dead = false;
    this.#died = Promise.withResolvers<void>();
  }

  /** The power is back; `random` in 0..1 decides what of the unsynced survived. */
  reboot(random: () => number): void {
    const names: Names = new Map();
    for (const path of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      const before = this.#durableNames.get(path);
      const after = this.#names.get(path);
      const inode = random() < 0.5 ? before : after;
      if (inode !== undefined) names.set(path, survivor(inode, random));
    }
    this.#names = names;
    this.#durableNames = new Map(names);
    this.restart();
  }

  /** The bytes of a file, for tests that look at it or damage it. */
  file(path: string): Buffer {
    return this.#inode(path).content;
  }

  paths(): string[] {
    return [...this.#names.keys()].toSorted();
  }

  /** The disk as the process sees it that runs now; once it is dead, none of its calls returns. */
  mount(): Disk {
    const generation = this.#generation;
    const run: Run = (apply) => this.#operation(generation, apply);
    return {
      list: (folder) => run(() => this.#list(folder)),
      create: (path) =>
        run((part) => {
          if (this.#names.has(path)) throw errno('EEXIST', path);
          const inode = { content: Buffer.alloc(0), durable: Buffer.alloc(0) };
          if (part > 0) this.#names.set(path, inode);
          return this.#handle(inode, run);
        }),
      open: (path) => run(() => this.#handle(this.#inode(path), run)),
      replace: (path, content) =>
        run((_part, synced) => {
          if (!synced) return;
          const inode = { content: Buffer.from(content), durable: Buffer.from(content) };
          this.#names.set(path, inode);
          this.#durableNames.set(path, inode);
        }),
      rename: (from, to) =>
        run((part) => {
          const inode = this.#inode(from);
          if (part === 0) return;
          this.#names.delete(from);
          this.#names.set(to, inode);
        }),
      remove: (path) =>
        run((part) => {
          if (part > 0) this.#names.delete(path);
        }),
      syncFolder: (folder) =>
        run((_part, synced) => {
          if (synced) this.#syncFolder(folder);
        }),
      freeBytes: () => run(() => this.#free()),
      lock: (folder) => run(() => this.#lock(folder)),
    };
  }

  #list(folder: string): string[] {
    const paths = [...this.#names.keys()].filter((path) => dirname(path) === folder);
    return paths.map((path) => basename(path));
  }

  #syncFolder(folder: string): void {
    for (const path of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      if (dirname(path) !== folder) continue;
      const inode = this.#names.get(path);
      if (inode === undefined) this.#durableNames.delete(path);
      else this.#durableNames.set(path, inode);
    }
  }

  #lock(folder: string): () => Promise<void> {
    if (this.#locked.has(folder)) throw new Error(`${folder} is locked`);
    this.#locked.add(folder);
    return async () => {
      this.#locked.delete(folder);
    };
  }

  #handle(inode: Inode, run: Run): DiskFile {
    return {
      append: (bytes) => run((part, synced) => this.#append(inode, bytes, part, synced)),
      read: (buffer, position) =>
        run(() => inode.content.copy(buffer, 0, position, position + buffer.length)),
      size: () => run(() => inode.content.length),
      truncate: (bytes) =>
        run((part, synced) => {
          // Against the grain, so that a row of faults both writes a frame whole and leaves it.
          if (synced || part < 0.5) inode.content = inode.content.subarray(0, bytes);
          if (!synced) return;
          inode.durable = inode.content;
          inode.poisoned = false;
        }),
      close: () => run(() => undefined),
    };
  }

  #append(inode: Inode, bytes: Uint8Array, part: number, synced: boolean): void {
    const fits = Math.min(bytes.length, this.#free());
    const written = Math.floor(part * fits);
    inode.content = Buffer.concat([inode.content, bytes.subarray(0, written)]);
    if (fits < bytes.length) {
      inode.poisoned = true;
      throw errno('ENOSPC', 'write');
    }
    if (!synced) inode.poisoned = true;
    else if (inode.poisoned !== true) inode.durable = inode.content;
  }

  get usedBytes(): number {
    return [...this.#names.values()].reduce((sum, { content }) => sum + content.length, 0);
  }

  #free(): number {
    return Math.max(0, this.capacityBytes - this.usedBytes);
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw errno('ENOENT', path);
    return inode;
  }

  /** Runs one operation; it succeeds, or fails, or the power goes within it. */
  async #operation<T>(generation: number, apply: Apply<T>): Promise<T> {
    await Promise.resolve();
    if (this.dead || generation !== this.#generation) return never();
    if (this.#crashIn !== undefined && this.#crashIn-- === 0) {
      apply(1, false);
      this.die();
      return never();
    }
    const [fault] = this.#faults;
    if (fault === undefined || fault.countdown-- > 0) return apply(1, true);
    this.#faults.shift();
    apply(fault.part, false);
    throw errno(fault.code, 'simulated');
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

function errno(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}

/** What is left of a file after the power was cut. */
function survivor({ content, durable }: Inode, random: () => number): Inode {
  const left =
    content.length < durable.length
      ? shorter(content, durable, random)
      : longer(content, durable, random);
  return { content: left, durable: left };
}

function shorter(content: Buffer, durable: Buffer, random: () => number): Buffer {
  return random() < 0.5 ? content : durable;
}

function longer(content: Buffer, durable: Buffer, random: () => number): Buffer {
  const unsynced = content.length - durable.length;
  const extra = random() < 0.3 ? unsynced : Math.floor(random() * (unsynced + 1));
  const left = Buffer.from(content.subarray(0, durable.length + extra));
  for (let at = durable.length; at < left.length; at += SECTOR_BYTES) {
    if (random() < 0.3) left.fill(0, at, Math.min(left.length, at + SECTOR_BYTES));
  }
  return left;
}

/** A reproducible source of numbers in 0..1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
