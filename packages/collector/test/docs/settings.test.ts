import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SETTINGS } from '../../src/settings.ts';

const page = readFileSync(new URL('../../../../docs/settings.md', import.meta.url), 'utf8');

test.each(Object.entries(SETTINGS))('%s is documented as it is', (name, setting) => {
  const fallback = setting.default === '' ? 'unset' : `\`${setting.default}\``;
  expect(page).toContain(`| \`${name}\` | ${fallback} | ${setting.meaning} |`);
});

test('nothing is documented that is no setting', () => {
  const named = [...page.matchAll(/^\| `(METRONOME_\w+)`/gmu)].map(([, name]) => name);
  expect(named).toEqual(Object.keys(SETTINGS));
});
