import { setTimeout as delay } from 'node:timers/promises';
import { parseArguments } from './arguments.ts';
import { readConfig } from '../config.ts';
import type { RollupProgress } from '../event-store.ts';
import type { Command } from './command.ts';
import { checkRuns, speak } from './speak.ts';
import { table } from './table.ts';

const BAR_WIDTH = 20;
const LOOK_INTERVAL_MS = 1000;
const REBUILDING =
  'is counted anew by the collector while it runs; until then answers come from the events. metronome rollups --wait shows how far it is.';
/** Moves a terminal's cursor to the line above, and clears that. */
const LINE_UP = '\u{1B}[1A\u{1B}[2K';

/**
 * `metronome rollups`: how far the counts are that answers come from; `--wait` shows them grow, and
 * `--rebuild` has those of one made anew.
 */
export const rollups: Command = {
  usage: 'rollups [--json] [--wait] [--rebuild NAME]',
  meaning:
    'how far the rollups are counted; --wait until they are up to date; --rebuild counts one anew',
  run: async (args) => {
    const { values } = parseArguments({
      args: [...args],
      options: {
        json: { type: 'boolean' },
        wait: { type: 'boolean' },
        rebuild: { type: 'string' },
      },
    });
    const config = await readConfig();
    if (values.wait === true) await checkRuns(config);
    if (values.rebuild !== undefined) {
      await speak(config, 'POST', `/rollups/rebuild?name=${encodeURIComponent(values.rebuild)}`);
      if (values.wait !== true) {
        process.stdout.write(`${values.rebuild} ${REBUILDING}\n`);
        return 0;
      }
    }
    let shown = 0;
    for (;;) {
      const progress: readonly RollupProgress[] = JSON.parse(
        await speak(config, 'GET', '/rollups'),
      );
      const isLast = values.wait !== true || progress.every(({ isUpToDate }) => isUpToDate);
      if (process.stdout.isTTY) process.stdout.write(LINE_UP.repeat(shown));
      if (values.json === true) {
        if (isLast) process.stdout.write(`${JSON.stringify(progress)}\n`);
      } else if (isLast || process.stdout.isTTY) {
        process.stdout.write(`${textOf(progress)}\n`);
        shown = Math.max(1, progress.length);
      }
      if (isLast) return 0;
      await delay(LOOK_INTERVAL_MS);
    }
  },
};

function textOf(progress: readonly RollupProgress[]): string {
  if (progress.length === 0) return 'This store keeps no rollups.';
  return table(progress.map(cellsOf));
}

/** What is up to date may have a few events that are not counted: answers read them as they are. */
function cellsOf({ name, events, counted, isUpToDate }: RollupProgress): readonly string[] {
  const share = isUpToDate ? 1 : counted / events;
  const full = Math.floor(share * BAR_WIDTH);
  const bar = `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`;
  const [done, all, live] = [counted, events, events - counted].map((count) =>
    count.toLocaleString('en'),
  );
  if (!isUpToDate) return [name, bar, `${Math.floor(share * 100)} %`, `${done} of ${all} events`];
  const uncounted = counted < events ? `, ${live} of them read as they are` : '';
  return [name, bar, 'up to date', `${all} events${uncounted}`];
}
