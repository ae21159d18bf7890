import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';

test('no setting is needed', async () => {
  const { settings, structure } = await readConfig({});
  expect(settings.METRONOME_PORT).toBe(3000);
  expect(settings.METRONOME_STORE).toBe('duckdb');
  expect(structure.items).toEqual([]);
});

test.each([
  ['METRONOME_PORT', 'abc', 'METRONOME_PORT must be a whole number from 0 to 65535, but is "abc".'],
  [
    'METRONOME_PORT',
    '70000',
    'METRONOME_PORT must be a whole number from 0 to 65535, but is "70000".',
  ],
  [
    'METRONOME_STORE',
    'mysql',
    'METRONOME_STORE must be `duckdb` or `elasticsearch`, but is "mysql".',
  ],
  [
    'METRONOME_TIMEZONE',
    'Mars',
    'METRONOME_TIMEZONE must be an IANA time zone such as `Europe/Berlin`, but is "Mars".',
  ],
  [
    'METRONOME_ORIGINS',
    'example.org',
    'METRONOME_ORIGINS must be page origins such as `https://www.example.org`, separated by commas, but is "example.org".',
  ],
  [
    'METRONOME_TRUSTED_PROXIES',
    '10.0.0.0/99',
    'METRONOME_TRUSTED_PROXIES must be IP addresses or subnets such as `10.0.0.0/8`, separated by commas, but is "10.0.0.0/99".',
  ],
  [
    'METRONOME_TRUSTED_PROXIES',
    '10.0.0.0/',
    'METRONOME_TRUSTED_PROXIES must be IP addresses or subnets such as `10.0.0.0/8`, separated by commas, but is "10.0.0.0/".',
  ],
  [
    'METRONOME_WRITE_KEYS',
    'short',
    'METRONOME_WRITE_KEYS must be keys of at least 8 characters, separated by commas.',
  ],
  [
    'METRONOME_LOG_LEVEL',
    'loud',
    'METRONOME_LOG_LEVEL must be `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`, but is "loud".',
  ],
])('%s=%s stops the start with one sentence', async (name, value, sentence) => {
  await expect(readConfig({ [name]: value })).rejects.toThrow(sentence);
});

test('counts are kept as long as events or longer', async () => {
  const days = async (counts: string, events: string): Promise<number | undefined> => {
    const { settings } = await readConfig({
      METRONOME_ROLLUP_RETENTION_DAYS: counts,
      METRONOME_RETENTION_DAYS: events,
    });
    return settings.METRONOME_ROLLUP_RETENTION_DAYS;
  };
  expect(await days('', '30')).toBeUndefined();
  expect(await days('0', '30')).toBe(0);
  expect(await days('30', '30')).toBe(30);
  await expect(days('29', '30')).rejects.toThrow(/events are kept for 30 days/);
  await expect(days('29', '0')).rejects.toThrow(/events are kept for ever/);
  await expect(days('ever', '30')).rejects.toThrow(/a whole number from 0 to 36500, or empty/);
});

test('a misspelt setting stops the start', async () => {
  await expect(readConfig({ METRONOME_PROT: '1' })).rejects.toThrow(
    'METRONOME_PROT is not a setting; did you mean METRONOME_PORT?',
  );
  await expect(readConfig({ METRONOME_XYZ: '1' })).rejects.toThrow(
    /METRONOME_XYZ is not a setting; the settings are METRONOME_HOST, /,
  );
});

test.each([
  'METRONOME_WRITE_KEYS',
  'METRONOME_READ_TOKENS',
  'METRONOME_ORIGINS',
  'METRONOME_TRUSTED_PROXIES',
  'METRONOME_ELASTICSEARCH_URL',
])('a %s of commas alone is no list, which would leave open what it guards', async (name) => {
  await expect(readConfig({ [name]: ' , ' })).rejects.toThrow(`${name} must be `);
});

describe('the configuration file', () => {
  function file(name: string, text: string): string {
    const path = join(mkdtempSync(join(tmpdir(), 'metronome-config-')), name);
    writeFileSync(path, text);
    return path;
  }

  test('may be JSON', async () => {
    const path = file('metronome.config.json', '{"items":[{"pattern":"/datasets/:item"}]}');
    const { structure } = await readConfig({ METRONOME_CONFIG: path });
    expect(structure.items).toEqual([{ pattern: '/datasets/:item' }]);
  });

  test('may be TypeScript', async () => {
    const path = file(
      'metronome.config.ts',
      'export default { sites: { shop: { hosts: ["a.org"] } } };',
    );
    const { structure } = await readConfig({ METRONOME_CONFIG: path });
    expect(structure.sites).toEqual({ shop: { hosts: ['a.org'] } });
  });

  test('that is wrong is named with the spot', async () => {
    const path = file('metronome.config.json', '{"items":[{"patern":"/x"}]}');
    await expect(readConfig({ METRONOME_CONFIG: path })).rejects.toThrow(
      'items.0: there is no "patern" here: did you mean pattern?',
    );
    const top = file('metronome.config.json', '{"querys":{}}');
    await expect(readConfig({ METRONOME_CONFIG: top })).rejects.toThrow(
      'the top level: there is no "querys" here: did you mean queries?',
    );
  });

  test('that is missing is named', async () => {
    await expect(readConfig({ METRONOME_CONFIG: './no.json' })).rejects.toThrow(/no such file/);
  });
});
