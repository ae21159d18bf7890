import { z } from 'zod';

/** What answers are made of, as schemas. An object has no other members than its schema says. */
export const countSchema: z.ZodNumber = z.int().nonnegative();

/** Counts by what the data names, in the order of the answer. */
export const countsSchema: z.ZodRecord<z.ZodString, z.ZodNumber> = z.record(
  z.string(),
  countSchema,
);

export const instantSchema: z.ZodString = z.string().meta({ format: 'date-time' });

/** A member of answers that were not read from all visitors; see `sampleNote`. */
export const sampled: { readonly sample: z.ZodOptional<z.ZodObject> } = {
  sample: z
    .object({ visitors: countSchema, of: countSchema })
    .optional()
    .describe('Where there are more visitors than were read: all counts are of these.'),
};

/**
 * A line of the table that an answer of this schema becomes, by the rule of `tableOf`; `columns` as
 * there.
 */
export function lineSchema(schema: z.ZodType, columns: readonly string[] = []): z.ZodType {
  const [key = 'key', value = 'value'] = columns;
  if (schema instanceof z.ZodArray) return lineOf(schema.element);
  if (schema instanceof z.ZodRecord) return keyed(schema, key, value);
  if (!(schema instanceof z.ZodObject)) return lineOf(schema);
  const members = Object.entries(schema.shape).map(
    ([name, member]) => [name, given(member)] as const,
  );
  if (members.every(([, member]) => isScalar(member))) return schema;
  return z.union(members.map(([name, member]) => named(name, member)));
}

function named(name: string, member: z.ZodType): z.ZodObject {
  const line = member instanceof z.ZodArray ? lineOf(member.element) : memberLine(member);
  return z.object({ name: z.literal(name), ...line.shape });
}

function memberLine(member: z.ZodType): z.ZodObject {
  return member instanceof z.ZodRecord ? keyed(member, 'key', 'value') : lineOf(member);
}

function keyed({ valueType }: z.ZodRecord, key: string, value: string): z.ZodObject {
  return z.object({ [key]: z.string(), [value]: valueType });
}

function lineOf(element: unknown): z.ZodObject {
  return element instanceof z.ZodObject ? element : z.object({ value: element as z.ZodType });
}

function given(member: unknown): z.ZodType {
  return (member instanceof z.ZodOptional ? member.unwrap() : member) as z.ZodType;
}

function isScalar(schema: z.ZodType): boolean {
  return ![z.ZodArray, z.ZodRecord, z.ZodObject].some((kind) => schema instanceof kind);
}
