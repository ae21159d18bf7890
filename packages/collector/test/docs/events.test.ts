import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { EVENT_LIMITS, FIELDS, TAGS } from '../../src/event.ts';
import { DOWNLOADS, PAGE_PARTS } from '../../src/intake/access-log.ts';
import { INTAKE_DEFAULTS } from '../../src/intake/intake.ts';
import { ACCESS_LOG_KEYS, WIRE_KEYS } from '../../src/intake/keys.ts';
import { REFUSALS } from '../../src/intake/refusals.ts';
import { FIREFOX, takeOne } from '../intake/test-intake.ts';

const page = readFileSync(new URL('../../../../docs/events.md', import.meta.url), 'utf8');

/** Cells of the rows below a table's header. */
function table(header: string): string[][] {
  const start = page.indexOf(`\n${header}\n`);
  if (start === -1) throw new Error(`docs/events.md has no table ${header}`);
  const [, , , ...lines] = page.slice(start).split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const names = (cell = ''): string[] =>
  [...cell.matchAll(/`([^`]+)`/gu)].map(([, name = '']) => name);

const wireRows = table('| Key | Value | At rest | Meaning |');
const keys = Object.entries(WIRE_KEYS).flatMap(([kind, fields]) =>
  Object.values<readonly string[]>(fields).map((known) => ({ kind, known })),
);

describe('the known keys', () => {
  it('are those that are documented, in the order in which they count', () => {
    const documented = wireRows.map(([key]) => names(key));
    expect(new Set(documented)).toEqual(new Set(keys.map(({ known }) => known)));
    expect(documented).toHaveLength(keys.length);
  });

  const VALUES: Readonly<Record<string, string>> = { address: 'text', tags: 'text, or several' };
  it.each(keys)('$known take $kind', ({ kind, known: [first = ''] }) => {
    const row = wireRows.find(([key]) => names(key)[0] === first);
    expect(row?.[1]).toBe(VALUES[kind] ?? kind);
  });

  /** A value under which each key shows at rest. */
  const SAMPLES: Readonly<Record<string, unknown>> = {
    url: 'https://a.example/b',
    referrer: 'https://c.example/d',
    user_agent: FIREFOX,
    ip: '203.0.113.7',
    method: 'GET',
    status: 200,
    time: 1795428303123,
    timestamp: 1795428303123,
    '@timestamp': 1795428303123,
    date: 1795428303.123,
    sent: 1795428303123,
    privacy: true,
    noise: true,
    bot: true,
  };
  /** The event that a key is added to, where not any will do. */
  const BASES: Readonly<Record<string, object>> = { event: {}, page_item: { event: 'download' } };
  const cases = wireRows.flatMap(([key, value, at]) =>
    names(key).map((name) => ({ name, first: names(key)[0] ?? '', value, at: names(at) })),
  );
  it.each(cases)('$name is at rest as documented', ({ name, first, value, at }) => {
    const base = BASES[first] ?? { event: 'x' };
    const given = SAMPLES[first] ?? (value === 'number' ? 5 : 'text');
    const without = takeOne(base, { privileged: true });
    const event = takeOne({ ...base, [name]: given }, { privileged: true });
    const isChanged = (key: string): boolean =>
      JSON.stringify(event[key]) !== JSON.stringify(without[key]);
    expect(Object.keys(event).filter(isChanged).toSorted()).toEqual(at.toSorted());
  });
});

test('the fields at rest are those that are documented', () => {
  const documented = table('| Field | Key at rest | Type | Meaning |').map(([field, at, type]) => [
    names(field)[0],
    { at: names(at)[0], type },
  ]);
  const fields = Object.entries(FIELDS).map(([name, { at, type }]) => [name, { at, type }]);
  expect(documented).toEqual(fields);
});

test('the tags are those that are documented', () => {
  const documented = table('| Tag | Meaning |').map(([tag]) => names(tag)[0]);
  expect(documented.toSorted()).toEqual(Object.values<string>(TAGS).toSorted());
});

test('the names of access logs are those that are documented', () => {
  const documented = table('| Means | Names |').map(([field, cell]) => [
    names(field)[0],
    names(cell),
  ]);
  expect(Object.fromEntries(documented)).toEqual(ACCESS_LOG_KEYS);
});

/** The names in code after `start`, on its line. */
function named(start: string): string[] {
  const line = page.split('\n').find((text) => text.includes(start));
  return names(line?.slice(line.indexOf(start)));
}

test('the extensions are those that are documented', () => {
  expect(named('the extension of a part of a page')).toEqual([...PAGE_PARTS]);
  expect(named('is a `download`: ').slice(1)).toEqual([...DOWNLOADS]);
});

test('the limits are those that are documented', () => {
  const documented = table('| Limit | | Over it |').map(([name, value]) => [
    names(name)[0],
    Number(value),
  ]);
  expect(Object.fromEntries(documented)).toEqual(EVENT_LIMITS);
  expect(page).toContain(`at most ${INTAKE_DEFAULTS.eventsPerBodyMax.toLocaleString('en')} events`);
});

test('the reasons of a refusal are those that are documented', () => {
  const start = page.indexOf('The reasons of a refusal:');
  const listed = [...page.slice(start).matchAll(/^- (.+)$/gmu)].map(([, reason]) => reason);
  expect(listed).toEqual(Object.values(REFUSALS).map(({ reason }) => reason));
});
