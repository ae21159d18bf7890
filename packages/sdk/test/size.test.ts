import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

import { rollup } from 'rollup';
import { describe, expect, test } from 'vitest';
import { minify, own } from '../../../rollup.config.ts';

const dist = new URL('../dist/', import.meta.url);

/** Bytes after brotli 11, of a built file. */
const built = async (name: string): Promise<number> =>
  brotliCompressSync(await readFile(new URL(name, dist))).length;

/** Code that an application would bundle, and its bytes after brotli 11. */
const bundled = async (code: string): Promise<{ text: string; bytes: number }> => {
  const entry = fileURLToPath(new URL('entry.js', dist));
  const bundle = await rollup({
    input: entry,
    external: /vitals-script|^web-vitals$/,
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? code : undefined),
      },
      minify(own),
    ],
  });
  const { output } = await bundle.generate({ format: 'es' });
  const text = output[0].code;
  return { text, bytes: brotliCompressSync(text).length };
};

const core = async (): Promise<number> => {
  const { bytes } = await bundled(
    `import { start, views } from './core.js';
     start({ endpoint: 'https://collector.example' }, { views });`,
  );
  return bytes;
};

describe('bytes after brotli 11', () => {
  test('metronome.js: at most 2,600', async () => {
    expect(await built('metronome.js')).toBeLessThanOrEqual(2_600);
  });

  test('metronome-vitals.js: at most 3,300', async () => {
    expect(await built('metronome-vitals.js')).toBeLessThanOrEqual(3_300);
  });

  test('both: at most 5,900', async () => {
    const both = (await built('metronome.js')) + (await built('metronome-vitals.js'));
    expect(both).toBeLessThanOrEqual(5_900);
  });

  test('core with views, SPA and delivery: at most 1,700', async () => {
    expect(await core()).toBeLessThanOrEqual(1_700);
  });

  test('the README says what they are', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const sizes = [await built('metronome.js'), await built('metronome-vitals.js'), await core()];
    const said = [...readme.matchAll(/^\| [^|]+ \| ([\d,]+) \| [\d,]+ \|$/gm)].map(
      ([, bytes]) => bytes,
    );
    expect(said).toEqual(sizes.map((bytes) => bytes.toLocaleString('en')));
  });
});

describe('tree shaking', () => {
  test('`track` alone brings neither vitals nor any instrumentation', async () => {
    const { text, bytes } = await bundled(`export { track } from './index.js';`);
    expect(text).not.toMatch(/vitals|fetch|click|popstate/);
    expect(bytes).toBeLessThanOrEqual(150);
  });

  test('the whole SDK loads vitals by an import of its own', async () => {
    const { text } = await bundled(
      `import { start } from './index.js'; start({ endpoint: 'https://collector.example' });`,
    );
    expect(text).toMatch(/import\([`"'].*vitals-script\.js[`"']\)/);
    expect(text).not.toContain('PerformanceObserver');
  });
});
