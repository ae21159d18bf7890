import type { RecordingCollector } from '../recording-collector.ts';
import { beats, range, type Scenario } from '../scenario.ts';

const watch = ['beat'];

/** What reaches the collector, and what it counts, when the page, the network or it fails. */
export const delivery: readonly Scenario[] = [
  {
    name: 'an event, then a navigation in the same task',
    watch,
    steps: ({ beatAndLeave }) => beatAndLeave([1]),
    expected: beats([1]),
  },
  {
    name: 'an event, then the tab is closed',
    profile: 'own',
    watch,
    steps: async ({ openTab }) => {
      const tab = await openTab('/');
      await tab.evaluate('conformance.beat(1)');
      await tab.closeTab();
    },
    expected: beats([1]),
  },
  {
    name: 'an event in pagehide',
    watch,
    html: `<script>addEventListener('pagehide', () => conformance.beat(1))</script>`,
    steps: ({ beatAndLeave }) => beatAndLeave([]),
    expected: beats([1]),
  },
  {
    name: 'an event, then the tab goes into the background',
    profile: 'own',
    watch,
    steps: async ({ beat, page, arrived }) => {
      await beat([1]);
      await page.hide();
      await arrived('beat');
      await page.show();
    },
    expected: beats([1]),
  },
  {
    name: '30 events of 3 KB, then a navigation in the same task: more than a page may leave behind',
    watch,
    steps: ({ beatAndLeave }) => beatAndLeave(range(1, 30), 3_000),
    expected: beats(range(1, 30)),
    except: {
      webkit: {
        reason: 'lets 64 KiB leave with a page: the rest comes with the next one',
        steps: async ({ beatAndLeave, open }) => {
          await beatAndLeave(range(1, 30), 3_000);
          await open('/');
        },
      },
    },
  },
  {
    name: '30 small events make few requests',
    watch,
    steps: ({ beat }) => beat(range(1, 30)),
    expected: beats(range(1, 30)),
    requestsMax: 2,
  },
  {
    name: '100 events of 2 KB: no body is larger than a beacon may be',
    watch,
    steps: ({ beat }) => beat(range(1, 100), 2_000),
    expected: beats(range(1, 100)),
  },
  {
    name: 'the first two posts get a 503',
    watch,
    open: false,
    steps: async ({ collector, open, beat, arrived }) => {
      collector.fail(503, 503);
      await open('/');
      await beat([1]);
      await arrived('beat');
    },
    expected: beats([1]),
  },
  {
    name: 'the first two posts get a 429',
    watch,
    open: false,
    steps: async ({ collector, open, beat, arrived }) => {
      collector.fail(429, 429);
      await open('/');
      await beat([1]);
      await arrived('beat');
    },
    expected: beats([1]),
  },
  {
    name: 'the first two posts are answered by somebody else: with a page, with a 408',
    watch,
    open: false,
    steps: async ({ collector, open, beat, arrived }) => {
      collector.fail(200, 408);
      await open('/');
      await beat([1]);
      await arrived('beat');
    },
    expected: beats([1]),
  },
  {
    name: 'the collector is down, and comes back',
    watch,
    steps: async ({ collector, beat, arrived, delivered }) => {
      await arrived('view');
      await collector.close();
      await beat([1, 2]);
      await delivered();
      await collector.reopen();
      await arrived('beat', 2);
    },
    expected: beats([1, 2]),
  },
  {
    name: 'the collector breaks off connections after it has read them',
    watch,
    steps: async ({ collector, beat, arrived }) => {
      await arrived('view');
      collector.fail('cut', 'cut', 'cut');
      await beat([1]);
      await arrived('beat');
    },
    expected: beats([1]),
  },
  {
    name: 'the collector is down, the visitor leaves and comes back',
    watch,
    steps: async ({ collector, open, arrived, beatAndLeave }) => {
      await arrived('view');
      await collector.close();
      await beatAndLeave([1, 2]);
      await collector.reopen();
      await open('/');
      await arrived('beat', 2);
    },
    expected: beats([1, 2]),
  },
  {
    name: 'the collector never answers, the visitor leaves',
    watch,
    steps: async ({ collector, beat, arrived, ticked, beatAndLeave }) => {
      await arrived('view');
      const before = collector.ticks.length;
      collector.fail('hang');
      await beat([1]);
      await ticked(before + 1);
      await beatAndLeave([2]);
    },
    expected: beats([1, 2]),
  },
  {
    name: 'the collector never answers, the visitor stays',
    watch,
    steps: async ({ collector, beat, arrived }) => {
      await arrived('view');
      collector.fail('hang');
      await beat([1]);
      await arrived('beat');
    },
    expected: beats([1]),
  },
  {
    name: 'a spell without network: events of that time come with it',
    watch,
    steps: async ({ collector, page, beat, arrived, delivered }) => {
      await arrived('view');
      await collector.close();
      await beat([1]);
      await delivered();
      await beat([2]);
      await collector.reopen();
      await page.evaluate(`dispatchEvent(new Event('online'))`);
      await arrived('beat', 2);
    },
    expected: beats([1, 2]),
  },
  {
    name: 'two tabs with one queue: no event twice, none lost',
    profile: 'own',
    watch,
    steps: async ({ collector, beat, arrived, openTab, delivered }) => {
      await arrived('view');
      collector.failing = 503;
      await beat([1, 2]);
      await delivered();
      const tab = await openTab('/');
      await tab.evaluate('conformance.beat(3)');
      await delivered(tab);
      collector.failing = undefined;
      await delivered(tab);
      await arrived('beat', 3);
    },
    expected: beats([1, 2, 3]),
  },
  {
    name: 'storage denied',
    watch: ['view', 'beat'],
    head: `<script>Object.defineProperty(window, 'localStorage', {
      get() { throw new DOMException('denied', 'SecurityError'); },
    })</script>`,
    steps: ({ beatAndLeave }) => beatAndLeave([1]),
    expected: [{ event: 'view' }, ...beats([1])],
  },
  {
    name: 'storage full',
    watch: ['view', 'beat'],
    head: `<script>for (let size = 2 ** 23; size >= 1; size /= 2) {
      try { localStorage['full' + size] = 'x'.repeat(size); } catch {}
    }</script>`,
    steps: ({ beatAndLeave }) => beatAndLeave([1]),
    expected: [{ event: 'view' }, ...beats([1])],
  },
  {
    name: 'requests blocked: silent and harmless',
    head: `<script>
      window.fetch = () => Promise.reject(new TypeError('blocked'));
      window.fetchLater = () => { throw new TypeError('blocked'); };
      navigator.sendBeacon = () => false;
    </script>`,
    steps: async ({ beat, delivered, beatAndLeave }) => {
      await beat([1]);
      await delivered();
      await beatAndLeave([2]);
    },
    expected: [],
  },
  {
    name: 'a body too large for the collector is split',
    watch,
    steps: async ({ collector, beat, arrived }) => {
      await arrived('view');
      collector.bodyBytesMax = 4_000;
      await beat(range(1, 30), 1_000);
      await arrived('beat', 30);
    },
    expected: beats(range(1, 30)),
  },
  {
    name: 'what the collector refuses is not sent again, and what follows is',
    watch,
    steps: async ({ collector, beat, arrived, delivered }) => {
      await arrived('view');
      // Whatever else is sent meanwhile is refused as well.
      collector.failing = 400;
      await beat([1]);
      await delivered();
      collector.failing = undefined;
      await beat([2]);
      await arrived('beat');
    },
    expected: beats([2]),
    requestsMax: 1,
  },
  {
    name: 'a collector that is away for long: what is kept is bounded, what is lost is counted',
    watch: [],
    options: { late: false },
    steps: async ({ collector, beat, arrived, delivered, open }) => {
      await arrived('view');
      await collector.close();
      await beat(range(1, 40), 15_000);
      await delivered();
      await collector.reopen();
      await open('/');
      await arrived('dropped');
      await collector.until(() => accounted(collector) === 40, 'a count of all 40');
    },
    expected: [],
  },
  {
    name: 'hidden, then the browser is killed',
    profile: 'own',
    watch,
    steps: async ({ beat, page, arrived, kill }) => {
      await beat([1]);
      await page.hide();
      await arrived('beat');
      await kill();
    },
    expected: beats([1]),
  },
];

/** Events that were delivered, and those that the page says it had to give up. */
function accounted(collector: RecordingCollector): number {
  const counted = collector.counted();
  const lost = counted.filter(({ event }) => event === 'dropped');
  const came = counted.filter(({ event }) => event === 'beat');
  return came.length + lost.reduce((sum, { value }) => sum + Number(value), 0);
}
