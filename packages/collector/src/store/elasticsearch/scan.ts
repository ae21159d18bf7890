import type { Client } from '@elastic/elasticsearch';
import { FIELDS } from '../../event.ts';
import type { Row } from '../../query/query.ts';
import { checkScan, type Scan } from '../../query/scan.ts';
import { compileNewest, compileScan, NEWEST } from './compile.ts';
import { unavailable } from './connection.ts';
import type { Answer } from './rows.ts';
import type { Search } from './searches.ts';
import { pagesOf, type Hit } from './select.ts';

/** Elasticsearch's default of `index.max_result_window`. */
const PAGE_EVENTS = 10_000;

/** Reads events one by one, of the newest visitors alone where the scan says so. */
export async function* runScan(
  client: Client,
  prefix: string,
  search: Search,
  scan: Scan,
): AsyncGenerator<Row> {
  checkScan(scan);
  const visitors = scan.visitors && (await newestVisitors(search, scan, scan.visitors));
  if (visitors?.length === 0) return;
  let left = scan.limit;
  const pages = pagesOf(client, prefix, compileScan(scan, visitors), Math.min(PAGE_EVENTS, left));
  for await (const hits of pages) {
    for (const hit of hits.slice(0, left)) yield rowOf(scan, hit);
    left -= hits.length;
    if (left <= 0) return;
  }
}

/** The searches of a scan as JSON. */
export function explainScan(scan: Scan): string {
  checkScan(scan);
  const { visitors } = scan;
  const searches = visitors
    ? [compileNewest({ ...scan, visitors }), compileScan(scan, ['(those of the first)'])]
    : compileScan(scan);
  return JSON.stringify(searches, null, 2);
}

async function newestVisitors(
  search: Search,
  scan: Scan,
  visitors: NonNullable<Scan['visitors']>,
): Promise<readonly string[]> {
  const answer = await search(compileNewest({ ...scan, visitors }));
  if (answer.timed_out) throw unavailable('took too long to answer');
  const { buckets = [] } = (answer.aggregations?.[NEWEST] ?? {}) as Answer;
  return buckets.map(({ key }) => String(key));
}

function rowOf({ fields, marks = {} }: Scan, { fields: values, matched_queries }: Hit): Row {
  const held: ReadonlySet<string> = new Set(matched_queries as string[] | undefined);
  return Object.fromEntries([
    ...fields.map((name) => [name, valueOf(name, values)]),
    ...Object.keys(marks).map((name) => [name, Number(held.has(name))]),
  ]) as Row;
}

function valueOf(name: Scan['fields'][number], values: Hit['fields']): string | number | null {
  const { at, type } = FIELDS[name];
  const [value] = (values?.[at] ?? []) as (string | number)[];
  if (value === undefined) return null;
  return type === 'time' || type === 'number' ? Number(value) : String(value);
}
