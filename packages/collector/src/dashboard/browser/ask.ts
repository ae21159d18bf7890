/** The page `/ask`: a form for each call of `/openapi.json`, and what the collector answers. */
import { indent } from '../../indent.ts';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required?: boolean;
  readonly description: string;
  readonly schema: {
    readonly type: string;
    readonly enum?: readonly string[];
    readonly default?: string;
    readonly format?: string;
  };
}

interface Operation {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly { readonly $ref: string }[];
}

interface Document {
  readonly paths: Readonly<Record<string, { readonly get: Operation }>>;
  readonly components: { readonly parameters: Readonly<Record<string, Parameter>> };
}

const form = element('form', HTMLFormElement);
const calls = element('call', HTMLSelectElement);
const summary = element('summary', HTMLElement);
const fields = element('fields', HTMLElement);
const token = element('token', HTMLInputElement);
const why = element('why', HTMLElement);
const answer = element('answer', HTMLElement);
const link = element('link', HTMLAnchorElement);
const state = element('state', HTMLElement);
const text = element('text', HTMLElement);

let openapi: Document | undefined;
void load();
calls.addEventListener('change', showFields);
token.addEventListener('change', () => void load());
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void (openapi ? ask() : load());
});

/** Reads what can be asked, which may take a token. */
async function load(): Promise<void> {
  if (openapi) return;
  const response = await fetch('/openapi.json', { headers: authorization() });
  element('guarded', HTMLElement).hidden = response.ok && token.value === '';
  if (!response.ok) {
    if (token.value !== '') why.textContent = 'This is none; give another.';
    token.focus();
    return;
  }
  openapi = await response.json();
  listCalls();
  showFields();
}

function authorization(): Record<string, string> {
  return token.value === '' ? {} : { Authorization: `Bearer ${token.value}` };
}

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.querySelector(`#${id}`);
  if (found instanceof type) return found;
  throw new Error(`the page has no #${id}`);
}

function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function listCalls(): void {
  const groups = Map.groupBy(
    Object.entries(openapi?.paths ?? {}),
    ([, { get }]) => get.tags[0] ?? '',
  );
  calls.replaceChildren(
    ...[...groups].map(([label, paths]) => {
      const options = paths.map(([path]) => make('option', { value: path }, path));
      return make('optgroup', { label }, ...options);
    }),
  );
}

function parametersOf(path: string): readonly Parameter[] {
  const references = openapi?.paths[path]?.get.parameters ?? [];
  return references.flatMap(({ $ref }) => {
    const parameter = openapi?.components.parameters[$ref.split('/').at(-1) ?? ''];
    return parameter ? [parameter] : [];
  });
}

function showFields(): void {
  const given = new FormData(form);
  summary.textContent = openapi?.paths[calls.value]?.get.summary ?? '';
  fields.replaceChildren(
    ...parametersOf(calls.value).map((one) => field(one, given.get(one.name))),
  );
}

function field(parameter: Parameter, given: FormDataEntryValue | null): HTMLElement {
  const { name, description } = parameter;
  const id = `field-${name}`;
  const control = controlOf(parameter);
  control.id = id;
  control.name = name;
  control.required = parameter.required === true;
  control.setAttribute('aria-describedby', `${id}-meaning`);
  if (typeof given === 'string') control.value = given;
  const meaning = make('small', { id: `${id}-meaning` }, description.replaceAll('`', ''));
  return make('div', {}, make('label', { htmlFor: id }, name), control, meaning);
}

function controlOf({ schema, required }: Parameter) {
  if (schema.type === 'array') return make('textarea', { rows: 2, placeholder: 'one a line' });
  if (!schema.enum) {
    return make('input', { type: schema.format === 'date' ? 'date' : 'text', autocomplete: 'off' });
  }
  const options = schema.enum.map((value) => make('option', { value }, value));
  if (!required) options.unshift(make('option', { value: '' }, schema.default ?? 'default'));
  return make('select', {}, ...options);
}

/** The URL of what is filled in. */
function urlOf(path: string): string {
  const given = new FormData(form);
  const textOf = (name: string): string => {
    const value = given.get(name);
    return typeof value === 'string' ? value : '';
  };
  const query = new URLSearchParams();
  let url = path;
  for (const { name, in: place, schema } of parametersOf(path)) {
    const value = textOf(name);
    if (place === 'path') {
      url = url.replace(`{${name}}`, () => encodeURIComponent(value));
      continue;
    }
    const values = schema.type === 'array' ? value.split('\n') : [value];
    for (const one of values.map((line) => line.trim())) if (one !== '') query.append(name, one);
  }
  return query.size > 0 ? `${url}?${query.toString()}` : url;
}

async function ask(): Promise<void> {
  const url = urlOf(calls.value);
  link.href = url;
  link.textContent = url;
  answer.hidden = false;
  state.textContent = 'Asking …';
  const startedAt = performance.now();
  try {
    const response = await fetch(url, { headers: authorization(), cache: 'no-cache' });
    const body = await response.text();
    const type = response.headers.get('Content-Type') ?? '';
    text.textContent =
      /json(?:$|;)/u.test(type) && !type.includes('x-ndjson') ? indent(body) : body;
    const ms = Math.round(performance.now() - startedAt);
    state.textContent = `${response.status} ${response.statusText}, ${ms} ms`;
  } catch {
    state.textContent = 'The collector does not answer.';
    text.textContent = '';
  }
}
