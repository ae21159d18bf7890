import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

/** A script for browsers as JavaScript, whether this program runs built or from its source. */
export function browserScript(name: string): string {
  const isBuilt = import.meta.url.endsWith('.js');
  const source = readFileSync(new URL(`${name}.${isBuilt ? 'js' : 'ts'}`, import.meta.url), 'utf8');
  return isBuilt
    ? source
    : stripTypeScriptTypes(source).replaceAll(/(?<=from '[^']+\.)ts(?=')/gu, 'js');
}
