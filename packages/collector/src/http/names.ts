import { MetronomeError } from '../errors.ts';
import { formatNames, type FormatName } from '../tock/formats.ts';

/** What a path names: an item, a query, the format of the answer. */
export interface Names {
  readonly names: readonly string[];
  readonly format: FormatName;
}

/**
 * The names after the first part of a path, at most `max`, each decoded once: ids may hold any
 * character, `/` as `%2F`. The last extension is the format, so the item `a.csv` is asked for as
 * `/tock/a.csv.json`. `ask` is how it is done right.
 */
export function readNames(url: string, ask: string, max: number): Names {
  const [path = ''] = url.replace(/^[^/]*\/\/[^/]*/u, '').split('?');
  const names = path.split('/').slice(2);
  const last = names.at(-1) ?? '';
  const format = formatNames.find((name) => last.endsWith(`.${name}`));
  if (names.length > max || format === undefined) {
    const formats = formatNames.map((name) => `.${name}`).join(', ');
    const message = `${ask} (${formats}); a "/" in a name is written %2F.`;
    throw new MetronomeError('not-found', message);
  }
  try {
    const decoded = [...names.slice(0, -1), last.slice(0, -format.length - 1)].map(
      decodeURIComponent,
    );
    return { names: decoded, format };
  } catch (cause) {
    const message = 'The name is not valid percent-encoding; a "%" is written %25.';
    throw new MetronomeError('bad-request', message, { cause });
  }
}
