import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { MetronomeError } from './errors.ts';
import { problemOf } from './query/declared-check.ts';
import { declaredQuerySchema } from './query/declared-schema.ts';
import { nearest } from './query/nearest.ts';
import { strictObject } from './query/strict-object.ts';
import { type SettingName, SETTINGS, type Settings } from './settings.ts';

export { defineQuery } from './query/declared.ts';

/** What is structure: `metronome.config.json`, or the default export of `metronome.config.ts`. */
const structureSchema = strictObject({
  /** Each site by its `app`, with the hosts that are its own and so never referers. */
  sites: z.record(z.string(), strictObject({ hosts: z.array(z.string()).default([]) })).default({}),
  /** Item patterns in their order; the first that matches a URL names the item. */
  items: z
    .array(
      strictObject({
        pattern: z.string(),
        app: z.string().optional(),
        item: z.string().optional(),
      }),
    )
    .default([]),
  /** The application's own keys that its queries use; listed, they are checked for slips. */
  keys: z.record(z.string(), z.enum(['text', 'number'], 'must be text or number')).default({}),
  /** The application's own queries, by the name under which they are asked for. */
  queries: z.record(z.string(), declaredQuerySchema).default({}),
});

const checkedSchema = structureSchema.superRefine(({ queries, keys }, context) => {
  for (const [name, query] of Object.entries(queries)) {
    const problem = problemOf(name, query, keys);
    if (problem === undefined) continue;
    const { spot, message } = problem;
    context.addIssue({ code: 'custom', path: ['queries', name, ...spot], message });
  }
});

export type Structure = z.output<typeof structureSchema>;

/** Type of the default export of `metronome.config.ts`. */
export type MetronomeConfig = z.input<typeof structureSchema>;

export interface Config {
  readonly settings: Settings;
  readonly structure: Structure;
}

/** Gives a configuration file in TypeScript its types. */
export function defineConfig(config: MetronomeConfig): MetronomeConfig {
  return config;
}

/**
 * Reads the settings of the environment and the configuration file.
 *
 * @throws MetronomeError `config` with one sentence that names the setting and what it must be.
 */
export async function readConfig(env: NodeJS.ProcessEnv = process.env): Promise<Config> {
  const settings = readSettings(env);
  return { settings, structure: await readStructure(settings.METRONOME_CONFIG) };
}

const PREFIX = 'METRONOME_';

function readSettings(env: NodeJS.ProcessEnv): Settings {
  const unknown = Object.keys(env).find((name) => name.startsWith(PREFIX) && !isSetting(name));
  if (unknown !== undefined) throw notASetting(unknown);
  const read = (name: SettingName): unknown => readSetting(name, env[name]);
  const names = Object.keys(SETTINGS).filter(isSetting);
  const settings = Object.fromEntries(
    names.map((name) => [name, read(name)]),
  ) as unknown as Settings;
  checkRetention(settings);
  return settings;
}

function notASetting(unknown: string): MetronomeError {
  const known = Object.keys(SETTINGS).map((name) => name.slice(PREFIX.length));
  const near = nearest(unknown.slice(PREFIX.length), known);
  const hint =
    near === undefined
      ? `the settings are ${Object.keys(SETTINGS).join(', ')}.`
      : `did you mean ${PREFIX}${near}?`;
  return new MetronomeError('config', `${unknown} is not a setting; ${hint}`);
}

function checkRetention({
  METRONOME_RETENTION_DAYS: events,
  METRONOME_ROLLUP_RETENTION_DAYS: counts,
}: Settings): void {
  const isShorter = counts !== undefined && counts !== 0 && (events === 0 || counts < events);
  if (!isShorter) return;
  const kept = events === 0 ? 'for ever' : `for ${events} days`;
  const message = `METRONOME_ROLLUP_RETENTION_DAYS must not be less than METRONOME_RETENTION_DAYS: events are kept ${kept}, and would be counted for ${counts} days only.`;
  throw new MetronomeError('config', message);
}

function isSetting(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

function readSetting(name: SettingName, given: string | undefined): unknown {
  const { default: fallback, parse, says } = SETTINGS[name];
  const text = given === undefined || given === '' ? fallback : given;
  try {
    return parse(text);
  } catch (cause) {
    // Keys and passwords are never repeated.
    const secret = /KEY|TOKEN|URL/u.test(name);
    const but = secret ? '' : `, but is ${JSON.stringify(text)}`;
    throw new MetronomeError('config', `${name} must be ${says}${but}.`, { cause });
  }
}

async function readStructure(path: string): Promise<Structure> {
  const file = findFile(path);
  if (file === undefined) return structureSchema.parse({});
  const read = checkedSchema.safeParse(await load(file));
  if (read.success) return read.data;
  const { issues } = read.error;
  // A misspelt name also shows as the name that is missing.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const spot = issue?.path.length ? issue.path.join('.') : 'the top level';
  const message = (issue?.message ?? 'cannot be read').replace(/(?<![.?])$/u, '.');
  throw new MetronomeError('config', `${file}: ${spot}: ${message}`);
}

const CONFIG_FILES = ['metronome.config.json', 'metronome.config.ts'];

function findFile(path: string): string | undefined {
  if (path !== '') {
    if (existsSync(path)) return path;
    throw new MetronomeError(
      'config',
      `METRONOME_CONFIG names ${path}, but there is no such file.`,
    );
  }
  const [file, other] = CONFIG_FILES.filter((name) => existsSync(name));
  if (other === undefined) return file;
  throw new MetronomeError(
    'config',
    `There are both ${file} and ${other}: keep one, or name it by METRONOME_CONFIG.`,
  );
}

async function load(file: string): Promise<unknown> {
  try {
    if (file.endsWith('.json')) return JSON.parse(readFileSync(file, 'utf8'));
    const module: { default?: unknown } = await import(pathToFileURL(resolve(file)).href);
    return module.default;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MetronomeError('config', `${file} cannot be read: ${reason}`, { cause });
  }
}
