/**
 * The script-tag build, from the JavaScript that `tsc -b` emits: `metronome.js`, and what it loads
 * at idle, `metronome-vitals.js`.
 */
import { nodeResolve } from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import type { Plugin, RollupOptions } from 'rollup';

/** Minifies our own code; properties that begin with `_` are internal and lose their names. */
export const minify = (): Plugin =>
  terser({
    ecma: 2020,
    compress: { passes: 4, unsafe: true, unsafe_arrows: true, unsafe_math: true, unsafe_methods: true, pure_getters: true, conditionals: false },
    mangle: { properties: { regex: /^_./ } },
    format: { comments: false },
  });

/** Undoes what tsc does to `import(url)`: ours is a whole URL, no relative `.ts` path. */
const plainImport: Plugin = {
  name: 'plain-import',
  transform: (code) =>
    code
      .replace(/^var __rewriteRelativeImportExtension = [^]*?\n};\n/, '')
      .replace(/__rewriteRelativeImportExtension\((\w+)\)/, '$1'),
};

const config: RollupOptions[] = [
  {
    input: 'packages/sdk/dist/script.js',
    output: { file: 'packages/sdk/dist/metronome.js', format: 'iife', strict: false },
    plugins: [plainImport, minify()],
  },
  {
    input: 'packages/sdk/dist/vitals-script.js',
    output: { file: 'packages/sdk/dist/metronome-vitals.js', format: 'es' },
    plugins: [nodeResolve(), minify()],
  },
];
export default config;
