import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { formatNames, FORMATS } from '../tock/formats.ts';
import { parametersSchema, type ScopeName, scopeSchema } from '../tock/parameters.ts';
import type { Statistic } from '../tock/statistic.ts';
import { items } from '../tock/statistics/items.ts';
import { tock } from '../tock/statistics/tock.ts';
import type { Statistics } from '../tock/statistics.ts';

type Json = Readonly<Record<string, unknown>>;

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { readonly version: string };

/**
 * The reading calls as an OpenAPI document. Its parameters are the schemas that check them
 * (`tock/parameters.ts`); which a call takes is what its statistic says.
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
      schemas: { Problem: PROBLEM },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function pathsOf(statistics: Statistics): Json {
  const named = [...statistics];
  return Object.fromEntries([
    ['/tock/{item}.{format}', get('tock', tock, ['item'])],
    ...named.map(([name, statistic]) => [
      `/tock/{item}/${name}.{format}`,
      get(name, statistic, ['item']),
    ]),
    ['/tock.{format}', get('site-tock', tock, [], ['item', 'prefix'])],
    ...named.map(([name, statistic]) => [
      `/query/${name}.{format}`,
      get(`site-${name}`, statistic, [], ['item', 'prefix']),
    ]),
    ['/items.{format}', get('items', items, [], ['prefix'])],
  ]);
}

/** A call: `path` names what its path holds beside the format, `scopes` what narrows the site. */
function get(
  operationId: string,
  { meaning, parameters }: Statistic,
  path: readonly 'item'[],
  scopes: readonly ScopeName[] = [],
): Json {
  const references = [
    ...[...path, 'format'].map((name) => `path-${name}`),
    ...scopes,
    ...parameters,
  ];
  return {
    get: {
      operationId,
      summary: meaning,
      tags: [path.length > 0 ? 'an item' : 'the site'],
      parameters: references.map((name) => ({ $ref: `#/components/parameters/${name}` })),
      responses: RESPONSES,
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
    const { description, ...rest } = property as Json;
    return [name, { name, in: 'query', description, schema: rest }];
  });
}

const PROBLEM: Json = {
  description: 'RFC 9457',
  type: 'object',
  properties: {
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'A sentence that says what to do.' },
  },
};

const problem = (description: string): Json => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

const RESPONSES: Json = {
  200: {
    description: 'The answer.',
    headers: {
      ETag: { schema: { type: 'string' } },
      'Cache-Control': { schema: { type: 'string' } },
    },
    content: Object.fromEntries(formatNames.map((name) => [FORMATS[name].type, {}])),
  },
  304: { description: 'Not changed since the `ETag` of `If-None-Match`.' },
  400: problem('A parameter is wrong, or the query would read too much.'),
  401: problem('A read token is needed.'),
  404: problem('There is no such query.'),
  503: problem('The store cannot answer now; never a part of an answer.'),
};
