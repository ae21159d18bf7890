/**
 * What the journal and the reject log ask of a disk: few calls, each with a stated durability, so
 * that a simulated disk can crash between and inside any two of them. Errors are the `errno`
 * exceptions of Node (`code` `ENOSPC`, `EIO`, …).
 */
export interface Disk {
  /** Makes the folder and its parents where missing, and returns the names of the files in it. */
  list(folder: string): Promise<readonly string[]>;
  /** A new empty file; `EEXIST` when there is one. Its name is durable after `syncFolder`. */
  create(path: string): Promise<DiskFile>;
  /** A file that exists; else `ENOENT`. */
  open(path: string): Promise<DiskFile>;
  /** Puts a file with this content there, all or nothing and durable. */
  replace(path: string, content: string): Promise<void>;
  /** Durable after `syncFolder`. */
  rename(from: string, to: string): Promise<void>;
  /** A crash may bring the file back. */
  remove(path: string): Promise<void>;
  /** Makes the names of the files in a folder durable. */
  syncFolder(folder: string): Promise<void>;
  /** Bytes that this process may still write to the folder's file system. */
  freeBytes(folder: string): Promise<number>;
  /**
   * Makes this process the only owner of a folder until it unlocks or dies.
   *
   * @throws MetronomeError `config` when another process owns it.
   */
  lock(folder: string): Promise<() => Promise<void>>;
}

export interface DiskFile {
  /**
   * Adds to the end. Resolved: all of it is durable, as is all before. Rejected or crashed: any
   * part of it may be there, and nobody may believe a later success (a kernel reports a failed
   * write-back once and then forgets the pages): cut the file or leave it.
   */
  append(bytes: Uint8Array): Promise<void>;
  /** Fills the buffer from a position; returns fewer bytes than asked only at the end. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  size(): Promise<number>;
  /** Cuts the file to a size, durably. */
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** The `code` of an `errno` exception. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What a call gives, or undefined when there is no such file. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
