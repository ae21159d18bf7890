import { MetronomeError } from '../../errors.ts';
import type { Selection } from '../../event-store.ts';
import type { Param, Statement } from './session.ts';

/** What is selected, as a condition on `events`. */
export function selected(selection: Selection): Statement {
  const parts: readonly (readonly [string, Param | undefined])[] = [
    ['"service.name" =', selection.app],
    ['"user.id" =', selection.visitor],
    ['item =', selection.item],
    ['"@timestamp" >=', selection.from === undefined ? undefined : new Date(selection.from)],
    ['"@timestamp" <', selection.to === undefined ? undefined : new Date(selection.to)],
  ];
  const params: Param[] = [];
  const conditions = parts.flatMap(([test, value]) =>
    value === undefined ? [] : [`${test} $${params.push(value)}`],
  );
  if (conditions.length === 0) {
    throw new MetronomeError(
      'bad-request',
      'Say which events: by app, visitor, item, or a time range.',
    );
  }
  return { sql: conditions.join(' AND '), params };
}
