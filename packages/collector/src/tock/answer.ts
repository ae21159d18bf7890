/**
 * What a statistic found, before it is written. A map is an object whose members keep their
 * order: objects themselves put keys that look like integers before all others.
 */
export type Answer =
  | string
  | number
  | boolean
  | null
  | readonly Answer[]
  | ReadonlyMap<string, Answer>
  | { readonly [name: string]: Answer };

/** An answer as JSON text. */
export function writeAnswer(answer: Answer): string {
  if (Array.isArray(answer)) return `[${answer.map(writeAnswer).join(',')}]`;
  if (answer instanceof Map) return writeMembers([...answer]);
  if (isObject(answer)) return writeMembers(Object.entries(answer));
  return JSON.stringify(answer);
}

/** An object of named members, neither a list nor keyed by data. */
export function isObject(answer: Answer): answer is { readonly [name: string]: Answer } {
  const isNothing = typeof answer !== 'object' || answer === null;
  return !isNothing && !Array.isArray(answer) && !(answer instanceof Map);
}

function writeMembers(members: readonly (readonly [string, Answer])[]): string {
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${writeAnswer(value)}`).join(',')}}`;
}
