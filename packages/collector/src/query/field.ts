import { FIELDS, type Field, type FieldName } from '../event.ts';

/** What a name in a query stands for: a field of the dictionary, or a key of the application. */
export type ResolvedField =
  | ({ readonly kind: 'known'; readonly name: FieldName } & Field)
  | { readonly kind: 'application'; readonly key: string };

/** Before a name it always means a key of the application, also one that is called like a field. */
const APPLICATION = 'labels.';

export function resolveField(name: string): ResolvedField {
  if (isFieldName(name)) return { kind: 'known', name, ...FIELDS[name] };
  const key = name.startsWith(APPLICATION) ? name.slice(APPLICATION.length) : name;
  return { kind: 'application', key };
}

function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(FIELDS, name);
}
