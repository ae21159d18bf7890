import { describe, expect, it } from 'vitest';
import { TAGS } from '../../src/event.ts';
import type { ClientFacts } from '../../src/intake/intake.ts';
import { client, FIREFOX, linesOf, NOW, take, takeOne, testIntake } from './test-intake.ts';

const GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
const DAY = 86_400_000;
const browser: Partial<ClientFacts> = { ip: '203.0.113.7', userAgent: FIREFOX, fromBrowser: true };
const visitor = (event: unknown, facts: Partial<ClientFacts> = browser): unknown =>
  takeOne(event, facts)['user.id'];

describe('the visitor', () => {
  it('is the one that is given', () => {
    const event = takeOne({ item: 'a', visitor: 'u1' }, browser);
    expect(event['user.id']).toBe('u1');
    expect(event).not.toHaveProperty('visitor.daily');
  });

  it('is one for an address and agent, and another for others', () => {
    const hash = visitor({ item: 'a' });
    expect(hash).toMatch(/^[\w-]{22}$/u);
    expect(visitor({ item: 'b' })).toBe(hash);
    expect(visitor({ item: 'a', ip: '203.0.113.7', user_agent: FIREFOX }, {})).toBe(hash);
    expect(visitor({ item: 'a' }, { ...browser, ip: '203.0.113.8' })).not.toBe(hash);
    expect(visitor({ item: 'a' }, { ...browser, userAgent: GOOGLEBOT })).not.toBe(hash);
    expect(takeOne({ item: 'a' }, browser)['visitor.daily']).toBe(true);
  });

  it('is one however the address is written', () => {
    const given = [
      '203.0.113.7',
      '203.0.113.7:51234',
      ' 203.0.113.7 ',
      '::ffff:203.0.113.7',
      '::FFFF:cb00:7107',
      '0:0:0:0:0:ffff:203.0.113.7',
      '[::ffff:cb00:7107]:443',
    ];
    const hashes = given.map((ip) => visitor({ item: 'a', ip }));
    expect(new Set(hashes).size).toBe(1);
    const v6 = ['2001:db8::1', '2001:DB8::1', '[2001:db8::1]:443'];
    expect(new Set(v6.map((ip) => visitor({ item: 'a', ip }))).size).toBe(1);
  });

  it('is another each day, by the salt of that day', () => {
    const hashes = [0, 1, 2, 3].map((days) => visitor({ item: 'a', time: NOW - days * DAY }));
    expect(new Set(hashes).size).toBe(4);
  });

  it('asks for no salt but those of today and yesterday', () => {
    const asked = new Set<string>();
    const salt = (day: string): string => {
      asked.add(day);
      return day;
    };
    const times = [13, -1, 0, 1, 2, 50].map((days) => NOW - days * DAY);
    take(
      times.map((time) => ({ time })),
      browser,
      testIntake({ salt }),
    );
    expect([...asked].toSorted()).toEqual(['2026-11-22', '2026-11-23']);
  });

  it('depends on the salt', () => {
    const intake = testIntake({ salt: () => new Uint8Array([1, 2, 3]) });
    expect(takeOne({ item: 'a' }, browser, intake)['user.id']).not.toBe(visitor({ item: 'a' }));
  });

  it('is not a server that forwards the events of others', () => {
    const server = { ip: '10.0.0.1' };
    expect(visitor({ item: 'a' }, server)).toBeDefined();
    expect(visitor({ item: 'a' }, { ...server, privileged: true })).toBeUndefined();
    expect(visitor({ url: '/a', method: 'GET', status: 200 }, server)).toBeUndefined();
    expect(visitor({ message: 'started' }, server)).toBeUndefined();
    expect(
      visitor({ item: 'a', ip: '203.0.113.7' }, { ...server, privileged: true }),
    ).toBeDefined();
    expect(visitor({ item: 'a' }, { ...browser, privileged: true })).toBeDefined();
  });
});

describe('an address', () => {
  const ADDRESS = '203.0.113.77';
  const keys = ['ip', 'client_ip', 'remote_addr', 'source.ip', 'source.address', 'clientip'];
  const others = [
    'host.ip',
    'x-forwarded-for',
    'X-Forwarded-For',
    'http_x_real_ip',
    'a.b.client_ip',
  ];
  it.each([...keys, ...others])('under %s is not kept', (key) => {
    for (const value of [ADDRESS, [ADDRESS], { v4: ADDRESS }, `10.0.0.1, ${ADDRESS}`]) {
      const event = { item: 'a', title: `of ${ADDRESS}`, [key]: value };
      expect(JSON.stringify(take(event).events)).not.toContain(ADDRESS);
    }
  });

  it.each([
    'RemoteAddr',
    'remoteAddress',
    'peer_ip',
    'userIp',
    'c-ip',
    'srcip',
    'net.peer.address',
    'remote',
    'client',
    'host',
    'XForwardedFor',
    'ipv6',
  ])('under %s is not kept, where it is one', (key) => {
    const event = { item: 'a', title: `of ${ADDRESS}`, [key]: `${ADDRESS}:443` };
    expect(JSON.stringify(take(event).events)).not.toContain(ADDRESS);
    expect(takeOne({ item: 'a', [key]: 'wild.example' })).toHaveProperty(
      ['labels', key],
      'wild.example',
    );
  });

  it.each([
    [`unknown, ${ADDRESS}`, ADDRESS],
    [`${ADDRESS} 10.1.1.1`, ADDRESS],
    [`[10.1.1.1, ${ADDRESS}]`, ADDRESS],
    [`for=${ADDRESS};proto=https`, ADDRESS],
    [`for="[2001:db8::7]:4711", for=_hidden`, '2001:DB8::7'],
    ['[fe80::7%eth0]:443', 'fe80::7%eth0'],
    [`('${ADDRESS}', 4711)`, ADDRESS],
    [`web/1.2, /${ADDRESS}:4711`, ADDRESS],
    [`ipv4:${ADDRESS}:4711`, ADDRESS],
    ['ipv6:[2001:db8::7]:4711', '2001:db8::7'],
    [`tcp://ada@${ADDRESS}:22/a`, ADDRESS],
    [`${ADDRESS}/32`, ADDRESS],
    ['::ffff:cb00:714d', ADDRESS],
    ['::ffff:cb00:714d', '::FFFF:cb00:714d'],
    ['0:0:0:0:0:FFFF:203.0.113.77', ADDRESS],
    [[ADDRESS, 'unknown'], ADDRESS],
    [['unknown', `a, ${ADDRESS}`], ADDRESS],
  ])('is not kept as a part of %j', (value, written) => {
    for (const key of ['xForwardedFor', 'peer', 'client', 'host', 'http_host', 'ip', 'x_real_ip']) {
      const event = takeOne({ event: 'x', title: `of ${written}`, [key]: value });
      expect(event, key).toHaveProperty('title', 'of -');
      expect(event, key).not.toHaveProperty('labels');
    }
  });

  it.each([
    'web-1.example:8080',
    'Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0 Safari/537.36',
    'curl/8.1.2, 12:30:00 a:b:c',
    '00:1b:44:11:3a:b7',
    '1.2.3.999',
    ['web-1', 'unknown'],
  ])('is not found in %j', (value) => {
    for (const key of ['xForwardedFor', 'peer', 'client', 'host']) {
      expect(takeOne({ event: 'x', [key]: value })).toHaveProperty(['labels', key], value);
    }
  });

  it('is told from a version', () => {
    const event = { item: 'a', version: '1.2.3.4', ship: 'Beagle' };
    expect(takeOne(event)).toHaveProperty('labels', { version: '1.2.3.4', ship: 'Beagle' });
  });

  it.each([
    { ip: ADDRESS, message: `login from ${ADDRESS}`, note: `x ${ADDRESS}`, many: [ADDRESS, 'y'] },
    { message: `${ADDRESS} - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "-"` },
    { log: `${ADDRESS} - ada [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "-"` },
    { event: { original: `${ADDRESS} anything` }, source: { address: ADDRESS } },
    { ip: ADDRESS, url: `https://a.org/${ADDRESS}?ip=${ADDRESS}`, referrer: `https://${ADDRESS}/` },
    { ip: ADDRESS, event: 'error', message: 'refused', stack: `at ${ADDRESS}`, id: `${ADDRESS}-1` },
    { ip: [ADDRESS, '10.0.0.1'], item: ADDRESS },
    {
      ip: '2001:DB8::7',
      title: 'from 2001:DB8::7',
      note: 'from 2001:db8::7, or 2001:DB8::7',
      visitor: ADDRESS,
      addr: ADDRESS,
    },
    { remote: ADDRESS, method: 'GET', path: '/' },
    { host: ADDRESS, method: 'GET', path: '/' },
    { request: 'GET / HTTP/1.1', client: ADDRESS },
    { method: 'GET', path: '/', client: `unknown, ${ADDRESS}`, title: `of ${ADDRESS}` },
  ])('is not kept in the texts of %j', (event) => {
    expect(JSON.stringify(take(event).events)).not.toMatch(/203\.0\.113\.77|2001:db8::7/iu);
    expect(take(event).events).toHaveLength(1);
  });

  it('is not kept in names, and none is there twice', () => {
    const event = {
      item: 'a',
      ip: ADDRESS,
      [ADDRESS]: 'x',
      '-': 'y',
      [`${ADDRESS}.n`]: 1,
      '-.n': 2,
    };
    const body = { contentType: undefined, bytes: Buffer.from(JSON.stringify(event)) };
    const { lines } = linesOf(testIntake(), body, client());
    expect(lines[0]).toContain('"labels":{"-":"y","-.n":"2"},"metrics":{"-.n":2}');
  });

  it('takes no longer number with it', () => {
    const longer = [`${ADDRESS}7`, `1${ADDRESS}`, `${ADDRESS}.5`, `2${ADDRESS}`, `v.${ADDRESS}.`];
    const { title } = takeOne({ item: 'a', ip: ADDRESS, title: longer.join(' ') });
    expect(title).toBe([...longer.slice(0, -1), 'v.-.'].join(' '));
  });

  it('of the request is not kept', () => {
    const event = { item: 'a', message: `You come from ${ADDRESS}.` };
    const { message, ...rest } = takeOne(event, { ...browser, ip: ADDRESS });
    expect(message).toBe('You come from -.');
    expect(JSON.stringify(rest)).not.toContain(ADDRESS);
  });

  it('of the machine itself stays in the addresses of its pages', () => {
    const url = 'http://127.0.0.1:3000/example/';
    const event = takeOne({ url, ip: '127.0.0.1' }, { ...browser, ip: '127.0.0.1' });
    expect(event).toHaveProperty(['url.full'], url);
  });
});

describe('the agent', () => {
  it.each([
    [FIREFOX, 'Firefox', '145', 'Linux', 'desktop'],
    [
      'Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
      'Mobile Safari',
      '17',
      'iOS',
      'tablet',
    ],
    [
      'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36',
      'Chrome',
      '130',
      'Android',
      'mobile',
    ],
    [
      'Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/538.1 (KHTML, like Gecko) Version/6.0 TV Safari/538.1',
      'Safari',
      '6',
      'Tizen',
      'tv',
    ],
  ])('%s', (user_agent, name, version, os, type) => {
    expect(takeOne({ item: 'a', user_agent })).toMatchObject({
      'user_agent.name': name,
      'user_agent.version': version,
      'user_agent.os.name': os,
      'user_agent.device.type': type,
    });
  });

  it('is the request’s only where a browser sends it', () => {
    expect(takeOne({ item: 'a' }, browser)['user_agent.name']).toBe('Firefox');
    const shipper = takeOne({ item: 'a' }, { userAgent: 'Fluent-Bit' });
    expect(shipper).not.toHaveProperty('user_agent.name');
    expect(shipper).not.toHaveProperty('bot');
  });

  it('is what the application says', () => {
    const event = takeOne({ item: 'a', user_agent: FIREFOX, os: 'Haiku', device: 'fridge' });
    expect(event).toMatchObject({
      'user_agent.name': 'Firefox',
      'user_agent.os.name': 'Haiku',
      'user_agent.device.type': 'fridge',
    });
  });

  it('marks bots', () => {
    const marked = { bot: true, tags: [TAGS.bot] };
    expect(takeOne({ item: 'a', user_agent: GOOGLEBOT })).toMatchObject(marked);
    expect(takeOne({ item: 'a' }, { ...browser, userAgent: GOOGLEBOT })).toMatchObject(marked);
    expect(takeOne({ item: 'a', bot: true }, browser)).toMatchObject(marked);
    expect(takeOne({ item: 'a', bot: false, user_agent: FIREFOX })).not.toHaveProperty('bot');
    expect(takeOne({ item: 'a', user_agent: GOOGLEBOT, tags: ['x', 'bot'] })['tags']).toEqual([
      'x',
      'bot',
    ]);
  });
});

describe('under GPC or DNT', () => {
  const signals = [{ privacy: 'gpc' }, { privacy: true }, { gpc: 1 }, { dnt: '1' }];
  const event = { item: 'a', session: 's', page: 'p', visitor: 'u', os: 'x', ip: '203.0.113.7' };
  it.each<[object, Partial<ClientFacts>]>([
    ...signals.map((signal): [object, object] => [signal, {}]),
    [{}, { privacy: true }],
  ])('by %j and %j an event has neither visitor, session nor agent', (signal, facts) => {
    const kept = takeOne({ ...event, ...signal }, { ...browser, ...facts });
    expect(kept['tags']).toEqual([TAGS.privacy]);
    expect(kept).toMatchObject({ item: 'a', 'page.id': 'p' });
    const rest = Object.keys(kept).filter((key) => /^(user|visitor|session)|labels/u.test(key));
    expect(rest).toEqual([]);
  });

  it('but not where the signal is off', () => {
    for (const signal of [{ privacy: false }, { gpc: 0 }, { dnt: '0' }]) {
      const kept = takeOne({ ...event, ...signal });
      expect(kept['user.id']).toBe('u');
      expect(kept).not.toHaveProperty('labels');
    }
  });

  it('and bots are told all the same', () => {
    expect(takeOne({ item: 'a', gpc: true, user_agent: GOOGLEBOT })['bot']).toBe(true);
  });
});
