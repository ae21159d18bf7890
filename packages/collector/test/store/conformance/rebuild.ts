import { expect, it } from 'vitest';
import type { RollupProgress } from '../../../src/event-store.ts';
import type { StoredEvent } from '../../../src/event.ts';
import type { Query, Row } from '../../../src/query/query.ts';
import { evaluate } from '../../query/evaluate.ts';
import { eventAt } from '../journal-lines.ts';
import { always, ofApp, type OpenStore } from './with-store.ts';

/** Rollups that an operator has made anew. */
export function rebuildTests(open: OpenStore): void {
  const { newName } = open;

  const tock = async (): Promise<RollupProgress | undefined> =>
    (await open.store.rollups()).find(({ name }) => name === 'tock');
  const maintain = (): Promise<void> => open.store.maintain(new AbortController().signal);

  /** Views and downloads of some items on some days that are long over. */
  const eventsOf = (app: string): StoredEvent[] =>
    [1, 2, 3].flatMap((date) =>
      ['trees', 'roads', 'lakes'].flatMap((item) =>
        (['view', 'download'] as const).map((action) =>
          eventAt(`2013-05-0${date}T10:00:00.000Z`, app, { item, 'event.action': action }),
        ),
      ),
    );

  /** By item, and by day and event: of different counts. */
  const queriesOf = (app: string): readonly Query[] => {
    const all = { measures: { n: { kind: 'count' } }, filter: ofApp(app), range: always } as const;
    return [
      { ...all, dimensions: { item: { kind: 'field', field: 'item' } } },
      {
        ...all,
        dimensions: {
          day: { kind: 'time', interval: 'day' },
          event: { kind: 'field', field: 'event' },
        },
      },
    ];
  };

  const answers = (app: string): Promise<readonly (readonly Row[])[]> =>
    Promise.all(queriesOf(app).map((query) => open.store.query(query)));

  it('answer from the events until they are counted, and the same then', async () => {
    const app = newName();
    const events = eventsOf(app);
    await open.takeEvents(events);
    await maintain();
    expect(await tock()).toMatchObject({ isUpToDate: true, counted: events.length });
    const before = await answers(app);

    await open.store.rebuildRollup('tock');
    expect(await tock()).toMatchObject({ isUpToDate: false, counted: 0 });
    expect(await answers(app)).toEqual(before);
    await maintain();
    expect(await tock()).toMatchObject({ isUpToDate: true, counted: events.length });
    expect(await answers(app)).toEqual(before);
  });

  it('have what came late, and nothing of what was erased', async () => {
    const app = newName();
    const events = eventsOf(app);
    const expectTrue = async (): Promise<void> => {
      const stored = events.map((event) => ({ ...event }));
      expect(await answers(app)).toEqual(queriesOf(app).map((query) => evaluate(query, stored)));
    };
    const takeLate = async (): Promise<void> => {
      const late = eventsOf(app).slice(0, 4);
      events.push(...late);
      await open.takeEvents(late);
    };
    const erase = async (item: string): Promise<void> => {
      await open.store.erase({ app, item });
      events.splice(0, Infinity, ...events.filter((event) => event.item !== item));
    };
    await open.takeEvents(events);
    await maintain();
    await takeLate();
    await erase('roads');
    await open.store.rebuildRollup('tock');
    await expectTrue();
    await takeLate();
    await erase('lakes');
    await expectTrue();
    await maintain();
    await expectTrue();
    expect(await tock()).toMatchObject({ isUpToDate: true });
    await open.store.rebuildRollup('tock');
    await open.store.rebuildRollup('tock');
    await maintain();
    await expectTrue();
  });

  it('are known by their names', async () => {
    await expect(open.store.rebuildRollup('tok')).rejects.toMatchObject({
      code: 'not-found',
      message: 'There is no rollup "tok"; did you mean tock?',
    });
    await expect(open.store.rebuildRollup('')).rejects.toMatchObject({
      code: 'not-found',
      message: 'There is no rollup ""; metronome rollups lists them.',
    });
  });
}
