/**
 * Imported before all else, because libuv reads its size when the pool is first used. A query of
 * DuckDB holds a thread while it runs, and the journal's fsync, decompression and the archive need
 * some meanwhile: with the default of 4 threads, long queries made ticks wait for seconds. The
 * embedded store holds 4 at most; and each thread that ever worked keeps some memory.
 */
const THREADS = '8';

process.env['UV_THREADPOOL_SIZE'] ??= THREADS;
