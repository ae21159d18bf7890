import { describe, expect, it } from 'vitest';
import { TAGS } from '../../src/event.ts';
import { takeOne, testIntake } from './test-intake.ts';

const event = (referrer: string, url = 'https://www.shop.example/a'): Record<string, unknown> =>
  takeOne(
    { url, referrer },
    {},
    testIntake({ ownHosts: ['https://www.Data.example.org/', 'b.org:81'] }),
  );

describe('a referrer', () => {
  it.each([
    ['https://www.google.com/', 'google.com'],
    ['http://WWW.Example.COM', 'example.com'],
    [
      'https://www.washingtonpost.com/articles/dc-news/?utm=1#top',
      'washingtonpost.com/articles/dc-news',
    ],
    ['https://example.com/Path//', 'example.com/Path'],
    ['https://example.com:8443/a', 'example.com:8443/a'],
    ['https://example.com:443/a', 'example.com/a'],
    ['https://example.com.', 'example.com'],
    ['https://user:pw@example.com/a', 'example.com/a'],
    ['https://[2001:db8::1]:81/a', '[2001:db8::1]:81/a'],
    ['https://münchen.example/ä', 'münchen.example/ä'],
    ['https://xn--mnchen-3ya.example/', 'xn--mnchen-3ya.example'],
    ['android-app://com.google.android.gm/', 'com.google.android.gm'],
    ['https://sub.data.example.org/', 'sub.data.example.org'],
    ['https://b.org/', 'b.org'],
  ])('%s is %s', (given, expected) => {
    expect(event(given)['referer']).toBe(expected);
  });

  it.each([
    '-',
    'about:blank',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://',
    'https:///path',
    'https://exa mple.com/',
    'https://<script>/',
    `https://${'a.'.repeat(200)}example/`,
    'not a url',
    'https://shop.example/b',
    'https://WWW.SHOP.example/',
    'https://data.example.org/',
    'http://www.data.example.org:8080/',
    'https://b.org:81/',
  ])('%s is none from outside', (given) => {
    expect(event(given)).not.toHaveProperty('referer');
  });

  it('stays as it came beside', () => {
    const given = 'https://www.Example.com/?q=1';
    expect(event(given)['http.request.referrer']).toBe(given);
    expect(event('-')).not.toHaveProperty('http.request.referrer');
  });

  it('is not own because another page’s host is, nor for a path without host', () => {
    expect(event('https://shop.example/b', 'https://other.example/')['referer']).toBe(
      'shop.example/b',
    );
    expect(event('https://shop.example/b', '/a')['referer']).toBe('shop.example/b');
  });

  it.each(['https://semalt.com/x', 'http://www.a.semalt.com', 'https://free-share-buttons.xyz/'])(
    'is spam from %s',
    (given) => {
      expect(event(given)).toMatchObject({ bot: true, tags: [TAGS.referrerSpam] });
    },
  );

  it.each(['https://notsemalt.com/', 'https://best-seoul-tours.com/', 'https://com/'])(
    'is none of spam from %s',
    (given) => {
      expect(event(given)).not.toHaveProperty('bot');
    },
  );

  it('is spam by the setting’s list', () => {
    const intake = testIntake({ spamHosts: ['www.Spam.example'] });
    expect(takeOne({ referrer: 'https://x.spam.example/' }, {}, intake)['bot']).toBe(true);
  });
});
