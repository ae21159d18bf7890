/**
 * The script-tag build, from the JavaScript that `tsc -b` emits: `metronome.js`, and what it loads
 * at idle, `metronome-vitals.js`.
 */
import { nodeResolve } from '@rollup/plugin-node-resolve';
import terser, { type Options } from '@rollup/plugin-terser';
import type { Plugin, RollupOptions } from 'rollup';

/**
 * Properties that begin with `_` are internal and lose their names. What `compress` switches off
 * makes less text but more bytes after brotli, which is what the budgets count.
 */
export const minify = (compress: Options['compress'] & object): Plugin =>
  terser({
    ecma: 2020,
    compress: {
      unsafe: true,
      unsafe_arrows: true,
      unsafe_math: true,
      pure_getters: true,
      ...compress,
    },
    mangle: { properties: { regex: /^_./ } },
    format: { comments: false },
  });

/** For our own code. */
export const own = {
  passes: 4,
  booleans: false,
  lhs_constants: false,
  reduce_funcs: false,
} as const;
/** For web-vitals, which comes minified, and what goes with it. */
const late = { passes: 1, lhs_constants: false } as const;

/**
 * Neighbouring declarations become one only if they are of one kind, and text that repeats costs
 * nothing: with `let` alone each build is some 40 bytes smaller.
 */
const letOnly: Plugin = {
  name: 'let-only',
  renderChunk: (code) => code.replace(/\bconst (?=[\w$[{])/g, 'let '),
};

/** Undoes what tsc does to `import(url)`: ours is a whole URL, no relative `.ts` path. */
const plainImport: Plugin = {
  name: 'plain-import',
  transform: (code) =>
    code
      .replace(/^var __rewriteRelativeImportExtension = [^]*?\n};\n/, '')
      .replace(/__rewriteRelativeImportExtension\((\w+)\)/, '$1'),
};

/** `compact` leaves out the line end, which alone costs seven bytes after brotli. */
const config: RollupOptions[] = [
  {
    input: 'packages/sdk/dist/script.js',
    output: {
      file: 'packages/sdk/dist/metronome.js',
      format: 'iife',
      strict: false,
      compact: true,
    },
    plugins: [plainImport, letOnly, minify(own)],
  },
  {
    input: 'packages/sdk/dist/vitals-script.js',
    output: { file: 'packages/sdk/dist/metronome-vitals.js', format: 'es', compact: true },
    plugins: [nodeResolve(), letOnly, minify(late)],
  },
];
export default config;
