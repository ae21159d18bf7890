import { FIELDS } from '../../src/event.ts';
import { compareUtf8 } from '../../src/query/order-rows.ts';
import type { Row } from '../../src/query/query.ts';
import type { Scan } from '../../src/query/scan.ts';
import { holds, scalars } from './evaluate.ts';

type Event = Readonly<Record<string, unknown>>;

/** What a scan means, in the plainest code, as `evaluate` for queries; the events have places. */
export function scanEvents(scan: Scan, events: readonly Event[]): readonly Row[] {
  const inRange = events.filter((event) => {
    const time = timeOf(event);
    return time >= scan.range.from && time < scan.range.to;
  });
  const visitors = scan.visitors && newest(scan.visitors, inRange);
  return inRange
    .filter((event) => !scan.filter || holds(scan.filter, event))
    .filter((event) => !visitors || visitors.includes(String(event['user.id'])))
    .toSorted(compare)
    .slice(0, scan.limit)
    .map((event) => rowOf(scan, event));
}

function newest({ having, limit }: NonNullable<Scan['visitors']>, events: readonly Event[]) {
  const last = new Map<string, number>();
  for (const event of events) {
    const visitor = event['user.id'];
    if (typeof visitor !== 'string' || !holds(having, event)) continue;
    last.set(visitor, Math.max(last.get(visitor) ?? 0, timeOf(event)));
  }
  return [...last]
    .toSorted(([a, x], [b, y]) => y - x || compareUtf8(a, b))
    .slice(0, limit)
    .map(([visitor]) => visitor);
}

function compare(a: Event, b: Event): number {
  const [x, y] = [a['user.id'], b['user.id']];
  if (x !== y && (x === undefined || y === undefined)) return x === undefined ? 1 : -1;
  return (
    compareUtf8(String(x), String(y)) ||
    timeOf(a) - timeOf(b) ||
    compareUtf8(String(a['journal.collector']), String(b['journal.collector'])) ||
    Number(a['journal.sequence']) - Number(b['journal.sequence'])
  );
}

function rowOf({ fields, marks = {} }: Scan, event: Event): Row {
  return Object.fromEntries([
    ...fields.map((name) => {
      const [value = null] = scalars(event, name);
      return [name, typeof value === 'boolean' ? String(value) : value];
    }),
    ...Object.entries(marks).map(([name, mark]) => [name, Number(holds(mark, event))]),
  ]) as Row;
}

function timeOf(event: Event): number {
  return Date.parse(String(event[FIELDS.time.at]));
}
