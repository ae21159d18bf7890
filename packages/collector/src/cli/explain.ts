import { readConfig } from '../config.ts';
import type { Step } from '../tock/explain-request.ts';
import type { Command } from './command.ts';
import { parseRequestArgs, queryOf } from './request-options.ts';
import { speak } from './speak.ts';

/** `metronome explain QUERY`: the SQL or the search bodies of an answer, and what each cost. */
export const explain: Command = {
  usage: 'explain QUERY [--item ID | --prefix TEXT] [--from DAY] [--to DAY]',
  meaning:
    'what the store is asked for an answer, and what that costs; QUERY is also tock or items',
  run: async (args) => {
    const sentence = 'Name one query: metronome explain QUERY.';
    const asked = parseRequestArgs(args, sentence, ['item', 'prefix']);
    const { item, ...parameters } = asked.options;
    const names = [asked.name, ...(item === undefined ? [] : [item])].map(encodeURIComponent);
    const path = `/explain/${names.join('/')}.json?${queryOf(parameters)}`;
    const steps: readonly Step[] = JSON.parse(await speak(await readConfig(), 'GET', path));
    process.stdout.write(
      steps.map((step, index) => `${text(step, index, steps.length)}\n`).join('\n'),
    );
    return 0;
  },
};

function text({ question, events, rows, ms }: Step, index: number, steps: number): string {
  const [read, answered] = [events, rows].map((count) => count.toLocaleString('en'));
  const cost = `at most ${read} events read, ${answered} rows, ${ms.toFixed(1)} ms`;
  return `-- ${index + 1} of ${steps}: ${cost}\n${question}`;
}
