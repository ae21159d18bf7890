import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import type { PacedLoad, PacedLoadSaid } from './paced-load.ts';

const SCRIPT = fileURLToPath(new URL('paced-load.ts', import.meta.url));

/** Runs `paced-load.ts` beside this process; throws when a request was not acknowledged. */
export async function pacedLoad(load: PacedLoad): Promise<PacedLoadSaid> {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, JSON.stringify(load)]);
  const said = JSON.parse(stdout) as PacedLoadSaid;
  if (said.failed > 0) throw new Error(`${said.failed} requests were not acknowledged`);
  return said;
}
