import { FIELDS, type Field, type FieldName } from '../event.ts';

/** What a name in a query stands for: a field of the dictionary, or a key of the application. */
export type ResolvedField =
  | ({ readonly kind: 'known'; readonly name: FieldName } & Field)
  | { readonly kind: 'application'; readonly key: string };

export function resolveField(name: string): ResolvedField {
  return isFieldName(name)
    ? { kind: 'known', name, ...FIELDS[name] }
    : { kind: 'application', key: name };
}

function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(FIELDS, name);
}
