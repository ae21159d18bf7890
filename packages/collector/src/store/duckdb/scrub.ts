import { MetronomeError } from '../../errors.ts';
import type { Engine } from './engine.ts';
import type { Session } from './session.ts';
import { DIRTY_DEFINITION, ROLLUPS_DEFINITION } from './rollup.ts';
import { EVENTS_DEFINITION } from './schema.ts';

/**
 * Makes the bytes of erased events go from the file. The engine only marks deleted rows, keeps
 * columns of many row groups in one block, and leaves freed blocks as they are. So the table is
 * written anew, which frees every block that it had, and then all free blocks are written over.
 *
 * This costs what the table is large, and as much room again while it runs. Not reached are copies
 * that others made: blocks that the file system or the disk itself has put elsewhere.
 */
export async function scrub(engine: Engine): Promise<void> {
  try {
    await engine.writeAlone(async (session) => {
      if ((await session.rows('SELECT 1 FROM scrubs LIMIT 1')).length === 0) return;
      await rewrite(session);
      await session.run('CHECKPOINT');
      await overwriteFreeBlocks(session);
      await session.run('DELETE FROM scrubs');
    });
  } catch (error) {
    // An export under way holds on to what it reads: the next erasure or maintenance goes on.
    if (!isHeldByReader(error)) throw error;
  }
}

/** In the commit that erases: the scrub is owed until it is done, whatever happens between. */
export function oweScrub(session: Session): Promise<void> {
  return session.run("INSERT INTO scrubs VALUES (now() AT TIME ZONE 'UTC')");
}

const WITH_VALUES_OF_EVENTS = {
  events: EVENTS_DEFINITION,
  rollups: ROLLUPS_DEFINITION,
  dirty: DIRTY_DEFINITION,
};

async function rewrite(session: Session): Promise<void> {
  for (const [table, definition] of Object.entries(WITH_VALUES_OF_EVENTS)) {
    await session.transaction(async () => {
      await session.run(`CREATE TABLE anew (${definition})`);
      await session.run(`INSERT INTO anew BY NAME SELECT * FROM ${table}`);
      await session.run(`DROP TABLE ${table}`);
      await session.run(`ALTER TABLE anew RENAME TO ${table}`);
    });
  }
}

/** Hashes do not compress: the filler takes every free block, and is larger for good measure. */
async function overwriteFreeBlocks(session: Session): Promise<void> {
  const [row] = await session.rows(
    `SELECT free_blocks, block_size FROM pragma_database_size()
     WHERE database_name = current_database()`,
  );
  const [freeBlocks = 0, blockBytes = 0] = row?.map(Number) ?? [];
  const hashes = ((freeBlocks + SPARE_BLOCKS) * blockBytes) / 8;
  await session.run(
    `CREATE OR REPLACE TABLE filler AS SELECT hash(range) AS hash FROM range(${hashes})`,
  );
  await session.run('CHECKPOINT');
  await session.run('DROP TABLE filler');
  await session.run('CHECKPOINT');
}

const SPARE_BLOCKS = 4;

function isHeldByReader(error: unknown): boolean {
  const cause = error instanceof MetronomeError ? error.cause : error;
  return cause instanceof Error && cause.message.includes('Cannot CHECKPOINT');
}
