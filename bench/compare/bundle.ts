/** The other products as a site would load them, bundled from their packages. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { brotliCompressSync } from 'node:zlib';

import type { Product } from './product.ts';

const FOLDER = import.meta.dirname;

export interface Bundle {
  readonly code: string;
  /** After brotli 11. */
  readonly bytes: number;
  readonly version: string;
}

interface Esbuild {
  buildSync(options: object): { outputFiles: readonly { readonly text: string }[] };
}

/** Installs exactly what the lockfile of this folder says. */
export function installProducts(): void {
  execFileSync('npm', ['ci', '--prefix', FOLDER, '--ignore-scripts', '--silent'], {
    stdio: 'inherit',
  });
}

export function bundle(product: Product): Bundle {
  if (!existsSync(`${FOLDER}/node_modules`)) throw new Error('The products are not installed');
  const { buildSync }: Esbuild = createRequire(`${FOLDER}/package.json`)('esbuild');
  const { outputFiles } = buildSync({
    stdin: { contents: product.entry, resolveDir: FOLDER },
    bundle: true,
    minify: true,
    target: 'es2020',
    format: 'iife',
    write: false,
    external: product.external ?? [],
  });
  const code = outputFiles[0]?.text ?? '';
  const manifest = `${FOLDER}/node_modules/${product.package}/package.json`;
  const { version }: { version: string } = JSON.parse(readFileSync(manifest, 'utf8'));
  return { code, bytes: brotliBytes(code), version };
}

export function brotliBytes(text: string | Buffer): number {
  return brotliCompressSync(text).length;
}
