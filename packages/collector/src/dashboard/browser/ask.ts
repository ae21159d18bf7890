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
const guarded = element('guarded', HTMLElement);
const token = element('token', HTMLInputElement);
const why = element('why', HTMLElement);
const describe = element('describe', HTMLButtonElement);
const answer = element('answer', HTMLElement);
const link = element('link', HTMLAnchorElement);
const curl = element('curl', HTMLElement);
const copy = element('copy', HTMLButtonElement);
const state = element('state', HTMLElement);
const text = element('text', HTMLElement);

let openapi: Document | undefined;
let asking = new AbortController();
void load();
calls.addEventListener('change', () => {
  asking.abort();
  answer.hidden = true;
  text.textContent = '';
  showFields(filledIn());
  keep();
});
token.addEventListener('change', () => void load());
form.addEventListener('input', keep);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void (openapi ? ask(urlOf(calls.value)) : load());
  keep();
});
describe.addEventListener('click', () => void (openapi ? ask('/openapi.json') : load()));
copy.addEventListener('click', () => void copyCommand());

/** Reads what can be asked, which may take a token. */
async function load(): Promise<void> {
  if (openapi) return;
  const response = await fetch('/openapi.json', { headers: authorization() });
  const read: Document | undefined = response.ok ? await response.json() : undefined;
  // The Enter key loads twice: the field has changed, and the form is sent.
  if (openapi) return;
  guarded.hidden = read !== undefined && token.value === '';
  describe.hidden = guarded.hidden;
  element('description', HTMLElement).hidden = !guarded.hidden;
  if (!read) {
    if (token.value !== '') why.textContent = 'This is none; give another.';
    token.focus();
    return;
  }
  openapi = read;
  why.textContent = '';
  const given = new URLSearchParams(location.search);
  listCalls(given.get('call'));
  showFields(given);
  if (!guarded.hidden) fields.querySelector<HTMLElement>('input, select, textarea')?.focus();
}

/** Keeps the question in the address of the page; the token has no name, so it is never there. */
function keep(): void {
  if (!openapi) return;
  const query = new URLSearchParams({ call: calls.value });
  for (const [name, value] of filledIn()) query.append(name, value);
  history.replaceState(null, '', `?${query.toString()}`);
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

function listCalls(chosen: string | null): void {
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
  if (chosen !== null && openapi?.paths[chosen]) calls.value = chosen;
}

function parametersOf(path: string): readonly Parameter[] {
  const references = openapi?.paths[path]?.get.parameters ?? [];
  return references.flatMap(({ $ref }) => {
    const parameter = openapi?.components.parameters[$ref.split('/').at(-1) ?? ''];
    return parameter ? [parameter] : [];
  });
}

/** What is filled in, by the names of the fields; a list has one value for each line. */
function filledIn(): URLSearchParams {
  const filled = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value !== 'string') continue;
    for (const line of value.split(/\r?\n/u)) if (line !== '') filled.append(name, line);
  }
  return filled;
}

function showFields(given: URLSearchParams): void {
  summary.textContent = openapi?.paths[calls.value]?.get.summary ?? '';
  fields.replaceChildren(
    ...parametersOf(calls.value).map((one) => field(one, given.getAll(one.name))),
  );
}

function field(parameter: Parameter, given: readonly string[]): HTMLElement {
  const { name, description } = parameter;
  const id = `field-${name}`;
  const control = controlOf(parameter);
  control.id = id;
  control.name = name;
  control.required = parameter.required === true;
  control.setAttribute('aria-describedby', `${id}-meaning`);
  fill(control, given);
  const meaning = make('small', { id: `${id}-meaning` }, description.replaceAll('`', ''));
  return make('div', {}, make('label', { htmlFor: id }, name), control, meaning);
}

function fill(
  control: HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement,
  [first, ...more]: readonly string[],
): void {
  if (first === undefined) return;
  control.value = control instanceof HTMLTextAreaElement ? [first, ...more].join('\n') : first;
  // An address may name a choice that there is not.
  if (control instanceof HTMLSelectElement && control.selectedIndex < 0) control.selectedIndex = 0;
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
  const given = filledIn();
  const query = new URLSearchParams();
  let url = path;
  for (const { name, in: place } of parametersOf(path)) {
    if (place === 'path') {
      url = url.replace(`{${name}}`, () => encodeURIComponent(given.get(name) ?? ''));
      continue;
    }
    const values = given.getAll(name).map((value) => value.trim());
    for (const value of values) if (value !== '') query.append(name, value);
  }
  return query.size > 0 ? `${url}?${query.toString()}` : url;
}

async function ask(url: string): Promise<void> {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  showAsked(url);
  text.ariaBusy = 'true';
  show('Asking …', text.textContent);
  const startedAt = performance.now();
  try {
    const response = await fetch(url, { headers: authorization(), cache: 'no-cache', signal });
    const body = await response.text();
    const type = response.headers.get('Content-Type') ?? '';
    const ms = Math.round(performance.now() - startedAt);
    const isJson = /json(?:$|;)/u.test(type) && !type.includes('x-ndjson');
    text.ariaBusy = null;
    show(`${response.status} ${response.statusText}, ${ms} ms`, isJson ? indent(body) : body);
  } catch {
    if (signal.aborted) return;
    text.ariaBusy = null;
    show('The collector does not answer.', '');
  }
}

/** A link would not send the token, so where one is needed a command takes its place. */
function showAsked(url: string): void {
  link.textContent = url;
  if (guarded.hidden) link.href = url;
  else link.removeAttribute('href');
  element('command', HTMLElement).hidden = guarded.hidden;
  const quoted = `'${new URL(url, location.href).href.replaceAll("'", '%27')}'`;
  curl.textContent = `curl -H "Authorization: Bearer $TOKEN" ${quoted}`;
  copy.textContent = 'Copy';
  // There is no clipboard without HTTPS, except on localhost.
  copy.hidden = !window.isSecureContext;
}

async function copyCommand(): Promise<void> {
  try {
    await navigator.clipboard.writeText(curl.textContent);
    copy.textContent = 'Copied';
  } catch {
    copy.textContent = 'Not copied';
  }
}

function show(how: string, what: string): void {
  state.textContent = how;
  text.textContent = what;
  answer.hidden = false;
  answer.scrollIntoView({ block: 'nearest' });
}
