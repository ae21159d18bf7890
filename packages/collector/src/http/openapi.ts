import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { formatNames } from '../tock/formats.ts';
import { parametersSchema, type ScopeName, scopeSchema } from '../tock/parameters.ts';
import type { Statistic } from '../tock/statistic.ts';
import { items } from '../tock/statistics/items.ts';
import { tock } from '../tock/statistics/tock.ts';
import type { Statistics } from '../tock/statistics.ts';
import { answerSchemas, type Json, responsesOf } from './openapi-answers.ts';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { readonly version: string };

/**
 * The reading calls as an OpenAPI document. Its parameters are the schemas that check them
 * (`tock/parameters.ts`); which a call takes, and what its answers look like, is what its
 * statistic says.
 */
export function openapi(statistics: Statistics, isGuarded: boolean): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Metronome',
      version,
      description: 'Answers about the items of a site: docs/statistics.md defines each of them.',
    },
    servers: [{ url: '/' }],
    security: isGuarded ? [{ token: [] }] : [],
    paths: pathsOf(statistics),
    components: {
      parameters: { ...PATH_PARAMETERS, ...queryParameters },
      schemas: answerSchemas({ tock, ...Object.fromEntries(statistics), items }),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function pathsOf(statistics: Statistics): Json {
  const named = [...statistics];
  return Object.fromEntries([
    ['/tock/{item}.{format}', get('tock', tock)],
    ...named.map(([name, statistic]) => [`/tock/{item}/${name}.{format}`, get(name, statistic)]),
    ['/tock.{format}', get('tock', tock, ['item', 'prefix'])],
    ...named.map(([name, statistic]) => [
      `/query/${name}.{format}`,
      get(name, statistic, ['item', 'prefix']),
    ]),
    ['/items.{format}', get('items', items, ['prefix'])],
  ]);
}

/** A call: about an item, or about the site where `scopes` narrow it. */
function get(name: string, statistic: Statistic, scopes?: readonly ScopeName[]): Json {
  const path = scopes ? ['path-format'] : ['path-item', 'path-format'];
  const parameters = [...path, ...(scopes ?? []), ...statistic.parameters];
  return {
    get: {
      operationId: scopes?.includes('item') ? `site.${name}` : name,
      summary: statistic.meaning,
      tags: [scopes ? 'the site' : 'an item'],
      parameters: parameters.map((one) => ({ $ref: `#/components/parameters/${one}` })),
      responses: responsesOf(name, statistic, scopes),
    },
  };
}

const PATH_PARAMETERS: Json = {
  'path-item': {
    name: 'item',
    in: 'path',
    required: true,
    description: 'Id of the item; in the path percent-encoded.',
    schema: { type: 'string' },
  },
  'path-format': {
    name: 'format',
    in: 'path',
    required: true,
    description: 'Format of the answer.',
    schema: { type: 'string', enum: formatNames, default: 'json' },
  },
};

const queryParameters: Json = Object.fromEntries(
  [parametersSchema, scopeSchema].flatMap((schema) => parametersOf(schema)),
);

function parametersOf(schema: z.ZodObject): readonly (readonly [string, Json])[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => {
    const { description, pattern, ...rest } = property as Json;
    // That of a number is about its text.
    const isText = rest['type'] === 'string' && pattern !== undefined;
    return [name, { name, in: 'query', description, schema: isText ? { ...rest, pattern } : rest }];
  });
}
