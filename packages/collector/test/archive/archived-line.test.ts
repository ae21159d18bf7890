import { describe, expect, it } from 'vitest';
import { readArchivedLine } from '../../src/archive/archived-line.ts';
import { eventAt, journaled } from '../store/journal-lines.ts';

const noon = '2026-11-23T12:00:00.000Z';
const [event] = journaled('k3v0', 7, [
  eventAt(noon, 'app', { 'event.created': '2026-11-22T12:00:00.000Z', labels: { ä: ['x', 'y'] } }),
]);

const read = (fields: object) => readArchivedLine(JSON.stringify({ ...event, ...fields }));

describe('a line of an archive', () => {
  it('goes to the journal without its place, and with the name of it', () => {
    const found = read({});
    expect(found).toEqual({
      line: expect.stringMatching(
        /^\{"@timestamp":"[^"]+","@version":"1","event\.ingested":"[^"]+","event\.created":"[^"]+","event\.id":"~k3v0-7","event\.action":"view","service\.name":"app"/u,
      ),
      filedAt: Date.parse('2026-11-22T12:00:00.000Z'),
    });
    const line = 'line' in found ? found.line : '';
    expect(JSON.parse(line)).toEqual({
      ...event,
      'event.id': '~k3v0-7',
      'journal.collector': undefined,
      'journal.segment': undefined,
      'journal.sequence': undefined,
    });
  });

  it('keeps the id that it has, and a key that only a later version knows', () => {
    const found = read({ 'event.id': '~other-3', 'of.later': [1] });
    expect(JSON.parse('line' in found ? found.line : '')).toMatchObject({
      'event.id': '~other-3',
      'of.later': [1],
    });
  });

  it.each([
    ['null', 'not a JSON object'],
    ['[]', 'not a JSON object'],
    ['{"a":', 'not a JSON object'],
    ['{}', '`@timestamp` is missing'],
  ])('is none: %s', (line, reason) => {
    expect(readArchivedLine(line)).toEqual({ reason });
  });

  it.each([
    [{ '@timestamp': '2026-11-23T12:00:00Z' }, '`@timestamp` is no time in UTC with milliseconds'],
    [{ 'event.created': 'now' }, '`event.created` is no time in UTC with milliseconds'],
    [{ 'service.name': undefined }, '`service.name` is missing'],
    [{ 'event.id': 5 }, '`event.id` is no text'],
    [{ item: null }, '`item` is no text'],
    [{ duration: '5' }, '`duration` is no number'],
    [{ bot: 1 }, '`bot` is no boolean'],
    [{ tags: 'a' }, '`tags` is no list of texts'],
    [{ labels: { a: 1 } }, '`labels` are not all texts'],
    [{ labels: 'a' }, '`labels` are not all texts'],
    [{ metrics: { a: ['1'] } }, '`metrics` are not all numbers'],
    [{ 'journal.sequence': 0 }, 'neither `event.id` nor a place in a journal'],
    [{ 'journal.collector': 'a b' }, 'neither `event.id` nor a place in a journal'],
  ])('is none with %o', (fields, reason) => {
    expect(read(fields)).toEqual({ reason });
  });

  it('holds no number that JSON cannot write', () => {
    const line = JSON.stringify({ ...event, duration: 5 }).replace(':5}', ':1e999}');
    expect(readArchivedLine(line)).toEqual({ reason: '`duration` is no number' });
  });
});
