import { expect, expectTypeOf, test } from 'vitest';
import { defineQuery } from '../../src/query/declared.ts';

const count = { kind: 'count' } as const;

test('a query is given back as it is, with its names as types', () => {
  const query = defineQuery({
    measures: { orders: { kind: 'count' } },
    dimensions: { department: { kind: 'field', field: 'department' } },
    order: [{ by: 'department', direction: 'ascending' }],
  });
  expect(query.order).toEqual([{ by: 'department', direction: 'ascending' }]);
  expectTypeOf<keyof typeof query.measures>().toEqualTypeOf<'orders'>();
});

test('slips are errors of the compiler', () => {
  // @ts-expect-error there is no such name to order by
  defineQuery({ measures: { n: count }, order: [{ by: 'm', direction: 'ascending' }] });
  // @ts-expect-error the others have a name
  defineQuery({ measures: { n: count }, others: true });
  // @ts-expect-error a sum needs a field
  defineQuery({ measures: { n: { kind: 'sum' } } });
  // @ts-expect-error there is no such kind
  defineQuery({ measures: { n: { kind: 'counts' } } });
  // @ts-expect-error nor such an interval of retention
  defineQuery({ kind: 'retention', interval: 'hour' });
  // @ts-expect-error a funnel has steps
  defineQuery({ kind: 'funnel' });
});
