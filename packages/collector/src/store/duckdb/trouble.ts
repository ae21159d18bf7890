import { MetronomeError } from '../../errors.ts';

/** There may be enough when nothing runs beside it. */
export function isShortOfMemory(error: unknown): boolean {
  const cause = error instanceof MetronomeError ? error.cause : undefined;
  return cause instanceof Error && /Out of Memory Error|failed to pin block/.test(cause.message);
}

/** DuckDB tells its errors apart by how their message begins. */
const UNAVAILABLE = /^(IO|Out of Memory|FATAL|INTERNAL|TransactionContext|Connection) Error/;
const FATAL = /^(FATAL|INTERNAL) Error|database has been invalidated|Failed to create checkpoint/;

/** The engine would not take what it was given; all else is its own trouble. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error && /^(Invalid Input|Conversion|Constraint) Error/.test(error.message)
  );
}

/** The engine has given the database up: only opening it again helps. */
export function isFatal(error: unknown): boolean {
  return error instanceof Error && FATAL.test(error.message);
}

/** Callers see these messages: they hold no path and no value; the cause has both. */
export function asMetronomeError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof MetronomeError) return error;
  if (/lock on file/i.test(error.message)) {
    const message = 'Another process has the data folder open: stop it, or choose another folder.';
    return new MetronomeError('config', message, { cause: error });
  }
  const isOfNode = 'syscall' in error;
  if (!isOfNode && !UNAVAILABLE.test(error.message)) return error;
  return new MetronomeError('unavailable', `The store cannot work for now: ${trouble(error)}.`, {
    cause: error,
    retryAfterS: 5,
  });
}

function trouble({ message }: Error): string {
  if (/out of memory|failed to pin/i.test(message)) return 'it is short of memory';
  if (/no space|too large/i.test(message)) return 'its disk is full';
  return 'its files cannot be read or written';
}
