/**
 * Events without code: a click on `<button data-metronome-event="signup">`, or the submit of such
 * a form. `data-metronome-event-plan="pro"` becomes the property `plan`.
 */
import type { Instrumentation } from '../instrumentation.ts';
import { attributeItem } from '../lib/attribute-item.ts';
import { listen } from '../lib/listen.ts';
import type { EventRecord } from '../options.ts';

export const actions: Instrumentation = (emit) =>
  listen(globalThis, 'click submit', (event) => {
    const path = event.composedPath() as HTMLElement[];
    const element = path.find((node) => node.dataset?.metronomeEvent);
    if (!element || (element.tagName === 'FORM') !== (event.type === 'submit')) return;
    const fields: EventRecord = { item: attributeItem(path) };
    for (const [name, value] of Object.entries(element.dataset)) {
      const property = /^metronomeEvent(.+)/.exec(name)?.[1];
      if (property) fields[property[0]?.toLowerCase() + property.slice(1)] = value;
    }
    emit(element.dataset.metronomeEvent as string, fields);
  });
