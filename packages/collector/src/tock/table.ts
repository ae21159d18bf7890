import { type Answer, isObject } from './answer.ts';

/** An answer as a table: lines of cells by the names of their columns. */
export interface Table {
  /** Those that come first, also where there is no line; others are in the lines. */
  readonly columns: readonly string[];
  readonly lines: readonly Line[];
}

export type Line = Readonly<Record<string, Answer>>;

/**
 * Any answer as a table, by one rule. A list has a line for each element; an object that is keyed
 * by data has one for each member, `key` and `value`, or as the statistic names them; measures
 * alone are one line. Of other objects each member gives its lines, with its `name` before them.
 */
export function tableOf(answer: Answer, columns: readonly string[] = []): Table {
  if (Array.isArray(answer)) return { columns, lines: answer.map((element) => lineOf(element)) };
  const [key = 'key', value = 'value'] = columns;
  if (answer instanceof Map) return { columns: [key, value], lines: keyed(answer, key, value) };
  if (!isObject(answer)) return { columns: ['value'], lines: [{ value: answer }] };
  const members = Object.entries(answer);
  if (members.length > 0 && members.every(([, member]) => isScalar(member))) {
    return { columns: Object.keys(answer), lines: [answer] };
  }
  const isCounting = members.some(([, member]) => member instanceof Map);
  return {
    columns: isCounting ? ['name', 'key', 'value'] : ['name'],
    lines: members.flatMap(([name, member]) => named(name, member)),
  };
}

/** The answers about several items, each line with the `id` of its item before it. */
export function tableOfItems(
  answers: ReadonlyMap<string, Answer>,
  columns: readonly string[] = [],
): Table {
  const tables = [...answers].map(([id, answer]) => ({ id, ...tableOf(answer, columns) }));
  return {
    columns: ['id', ...(tables[0]?.columns ?? columns)],
    lines: tables.flatMap(({ id, lines }) => lines.map((line) => ({ id, ...line }))),
  };
}

function named(name: string, member: Answer): readonly Line[] {
  if (isScalar(member)) return [{ name, value: member }];
  if (member instanceof Map) {
    return keyed(member, 'key', 'value').map((line) => ({ name, ...line }));
  }
  const elements = Array.isArray(member) ? member : [member];
  return elements.map((element: Answer) => ({ name, ...lineOf(element) }));
}

function keyed(map: ReadonlyMap<string, Answer>, key: string, value: string): readonly Line[] {
  return [...map].map(([name, member]) => ({ [key]: name, [value]: member }));
}

function lineOf(element: Answer): Line {
  return isObject(element) ? element : { value: element };
}

function isScalar(answer: Answer): boolean {
  return typeof answer !== 'object' || answer === null;
}
