import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** What the figures depend on. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = `${Math.round(totalmem() / 1024 ** 3)} GiB`;
  const cores = `${availableParallelism()} cores`;
  return `${cores} (${model}), ${memory}, ${type()} ${release()}, Node ${process.version}, commit ${commit()}`;
}

/** Of the last minute: above 0.5 before a benchmark, something else was running. */
export function loadAverage(): number {
  return loadavg()[0] ?? Number.NaN;
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
