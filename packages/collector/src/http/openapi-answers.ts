import { z } from 'zod';
import { formatNames, FORMATS, type FormatName } from '../tock/formats.ts';
import type { ScopeName } from '../tock/parameters.ts';
import { lineSchema } from '../tock/schemas.ts';
import type { Statistic } from '../tock/statistic.ts';

export type Json = Readonly<Record<string, unknown>>;

/** No query has a dot in its name. */
const PROBLEM = 'problem.details';

/**
 * The shapes of all answers: `NAME` of an item, `NAME.site` of the site where that is another, and
 * with `.line` after it of a line of the same answer as NDJSON.
 */
export function answerSchemas(statistics: Readonly<Record<string, Statistic>>): Json {
  const answers = Object.entries(statistics).flatMap(([name, { schema, siteSchema, columns }]) => {
    const shapes: [string, z.ZodType][] = [[name, schema]];
    if (siteSchema) shapes.push([`${name}.site`, siteSchema]);
    return shapes.flatMap(([id, shape]) => [
      [id, toJson(shape)],
      [`${id}.line`, toJson(lineSchema(shape, columns))],
    ]);
  });
  return { ...Object.fromEntries(answers), [PROBLEM]: toJson(problemSchema) };
}

/** What a call is answered; `scopes` are those of a call about the site. */
export function responsesOf(
  name: string,
  { siteSchema, columns }: Statistic,
  scopes: readonly ScopeName[] = [],
): Json {
  const ids = scopes.length > 0 && siteSchema ? [`${name}.site`, name] : [name];
  const several = scopes.includes('item');
  const content = {
    json: anyOf([...ids.map((id) => ref(id)), ...(several ? [keyedById(name)] : [])]),
    csv: {
      type: 'string',
      description: `RFC 4180 with a line of names${columns ? `, ${columns.join(',')}` : ''}.`,
    },
    ndjson: {
      type: 'string',
      description: `A JSON object on each line, as \`x-line\` says${several ? '; of several items (`item`) it begins with the `id`' : ''}.`,
      'x-line': anyOf(ids.map((id) => ref(`${id}.line`))),
    },
  } as const satisfies Record<FormatName, Json>;
  return {
    200: {
      description: several
        ? 'The answer; of several items (`item`) one for each id.'
        : 'The answer.',
      headers: {
        ETag: { schema: { type: 'string' } },
        'Cache-Control': { schema: { type: 'string' } },
      },
      content: Object.fromEntries(
        formatNames.map((format) => [FORMATS[format].type, { schema: content[format] }]),
      ),
    },
    ...REFUSALS,
  };
}

function ref(id: string): Json {
  return { $ref: `#/components/schemas/${id}` };
}

function keyedById(name: string): Json {
  return {
    type: 'object',
    description: 'By the ids of the items.',
    additionalProperties: ref(name),
  };
}

function anyOf(schemas: readonly Json[]): Json {
  const [first = {}, ...others] = schemas;
  return others.length === 0 ? first : { anyOf: schemas };
}

/** Without what says nothing: that names are texts, and how far JavaScript counts. */
function toJson(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    override({ jsonSchema }) {
      delete jsonSchema.propertyNames;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return json;
}

const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('A sentence that says what to do.'),
    events: z.int().optional().describe('Events that the request would read, at least.'),
    eventsMax: z.int().optional().describe('What it may read.'),
    apps: z.array(z.string()).optional().describe('Those that `app` may be.'),
  })
  .describe('RFC 9457');

const problem = (description: string): Json => ({
  description,
  content: { 'application/problem+json': { schema: ref(PROBLEM) } },
});

const REFUSALS: Json = {
  304: { description: 'Not changed since the `ETag` of `If-None-Match`.' },
  400: problem('A parameter is wrong, or the request would read too much.'),
  401: problem('A read token is needed.'),
  404: problem('There is no such query.'),
  503: problem('The store cannot answer now; never a part of an answer.'),
};
