import { beats, type Scenario } from '../scenario.ts';

const signal = (name: string, value: string): string =>
  `<script>Object.defineProperty(navigator, '${name}', { value: ${value} })</script>`;

const VISITOR = { visitor: 'v1', session: 's1' };

/** What is not sent, not stored, and not known. */
export const privacy: readonly Scenario[] = [
  {
    name: '`consent: pending` holds everything in memory',
    options: { consent: 'pending' },
    steps: async ({ page, beat, delivered, collector }) => {
      await beat([1]);
      await delivered();
      if (collector.ticks.length > 0) throw new Error('Sent before the consent');
      await nothingKept(page);
    },
    expected: [],
  },
  {
    name: '`consent: pending`, then granted: all that was held',
    options: { consent: 'pending' },
    steps: async ({ page, beat, arrived }) => {
      await beat([1]);
      await page.evaluate(`metronome.consent('granted')`);
      await arrived('beat');
    },
    expected: [{ event: 'view' }, ...beats([1])],
  },
  {
    name: '`consent: pending`, then denied: nothing, now and later',
    options: { consent: 'pending' },
    steps: async ({ page, open, beat, delivered }) => {
      await beat([1]);
      await page.evaluate(`metronome.consent('denied')`);
      await delivered();
      await open('/');
      await beat([2]);
    },
    expected: [],
  },
  {
    name: 'a denial empties what an earlier page has left, and a later `granted` sends none of it',
    watch: ['beat'],
    pages: { '/later': { options: { consent: 'pending' } } },
    steps: async ({ page, collector, open, beat, beatAndLeave }) => {
      collector.failing = 503;
      await beatAndLeave([1]);
      await open('/later');
      await page.evaluate(`metronome.consent('denied')`);
      const kept = await page.evaluate(`Object.keys(localStorage).join()`);
      if (kept !== 'metronome') throw new Error(`Kept on the device: ${String(kept)}`);
      collector.failing = undefined;
      await page.evaluate(`metronome.consent('granted')`);
      await beat([2]);
    },
    expected: beats([2]),
  },
  {
    name: 'a visitor who opted out stays out, until they come in again',
    steps: async ({ page, open, beat, delivered, arrived, collector }) => {
      await arrived('view');
      await page.evaluate(`metronome.consent('denied')`);
      const before = collector.ticks.length;
      await open('/');
      await beat([1]);
      await delivered();
      if (collector.ticks.length > before) throw new Error('Sent after the opt-out');
      await page.evaluate(`metronome.consent('granted')`);
      await beat([2]);
    },
    expected: [{ event: 'view' }, ...beats([2])],
  },
  {
    name: 'an opt-out holds in the tabs that are open',
    profile: 'own',
    watch: ['beat'],
    steps: async ({ beat, arrived, openTab }) => {
      await arrived('view');
      const tab = await openTab('/');
      await tab.evaluate(`metronome.consent('denied')`);
      await tab.closeTab();
      await beat([1]);
    },
    expected: [],
  },
  {
    name: 'Global Privacy Control: counted without visitor and session',
    head: signal('globalPrivacyControl', 'true'),
    options: VISITOR,
    expected: [{ event: 'view', privacy: 'gpc', visitor: undefined, session: undefined }],
  },
  {
    name: 'Do Not Track: counted without visitor and session',
    head: signal('doNotTrack', `'1'`),
    options: VISITOR,
    expected: [{ event: 'view', privacy: 'dnt', visitor: undefined, session: undefined }],
  },
  {
    name: 'no signal: visitor and session as the application gives them',
    head: signal('globalPrivacyControl', 'false') + signal('doNotTrack', `'unspecified'`),
    options: VISITOR,
    expected: [{ event: 'view', privacy: undefined, visitor: 'v1', session: 's1' }],
  },
  {
    name: 'Global Privacy Control with `respect: drop`: nothing',
    head: signal('globalPrivacyControl', 'true'),
    options: { respect: 'drop' },
    steps: ({ beatAndLeave }) => beatAndLeave([1]),
    expected: [],
  },
  {
    name: 'Do Not Track with `respect: drop`: nothing',
    head: signal('doNotTrack', `'1'`),
    options: { respect: 'drop' },
    steps: ({ beatAndLeave }) => beatAndLeave([1]),
    expected: [],
  },
  {
    name: 'a page load in the sample',
    head: '<script>{ let calls = 0; Math.random = () => 0.4 + calls++ / 1e6; }</script>',
    options: { sample: '0.5' },
    expected: [{ event: 'view' }],
  },
  {
    name: 'a page load out of the sample: nothing at all',
    head: '<script>Math.random = () => 0.6</script>',
    options: { sample: '0.5' },
    steps: ({ beatAndLeave }) => beatAndLeave([1]),
    expected: [],
  },
  {
    name: '`beforeSend` changes and drops events',
    head: `<script>metronome = { options: {
      beforeSend: (event) => event.n !== 1 && { ...event, title: 'hidden' },
    } }</script>`,
    steps: ({ beat }) => beat([1, 2]),
    expected: [
      { event: 'view', title: 'hidden' },
      { event: 'beat', n: 2, title: 'hidden' },
    ],
  },
  {
    name: '`beforeSend` that returns no event: that event is lost, its neighbours are not',
    options: { views: false },
    head: `<script>metronome = { options: {
      beforeSend: (event) => [{}, Promise.resolve(event), event][event.n],
    } }</script>`,
    steps: ({ beat }) => beat([0, 1, 2]),
    expected: beats([2]),
  },
  {
    name: '`beforeSend` that throws: that event is lost, the page is not',
    head: `<script>metronome = { options: {
      beforeSend: (event) => { if (event.n === 1) throw new Error('broken'); return event; },
    } }</script>`,
    steps: ({ beat }) => beat([1, 2]),
    expected: [{ event: 'view' }, ...beats([2])],
  },
  {
    name: '`scrub` takes the values of parameters out of all addresses',
    open: false,
    options: { scrub: 'token, email' },
    html: '<a href="/files/trees.csv?email=a@example.org&v=1">Data</a>',
    steps: async ({ open, page, site }) => {
      await open('/?token=secret&page=2');
      await page.click('a');
      await site.until('/files/trees.csv');
    },
    expected: [
      { event: 'view', url: '/?token=&page=2' },
      { event: 'download', url: '/?token=&page=2', file: '/files/trees.csv?email=&v=1' },
    ],
  },
  {
    name: 'nothing stays on the device: no cookie, no storage, no database',
    watch: ['beat'],
    // A vital may come at any time, and is kept until it was sent.
    options: { late: false },
    steps: async ({ page, beat, arrived, delivered }) => {
      await beat([1]);
      await delivered();
      await arrived('beat');
      await nothingKept(page);
    },
    expected: beats([1]),
  },
];

async function nothingKept(page: {
  evaluate(expression: string): Promise<unknown>;
}): Promise<void> {
  const kept = await page.evaluate(
    `indexedDB.databases().then((databases) => document.cookie +
      Object.keys(localStorage) + Object.keys(sessionStorage) + databases.map(({ name }) => name))`,
  );
  if (kept !== '') throw new Error(`Kept on the device: ${String(kept)}`);
}
