/**
 * Events without code: a click on `<button data-metronome-event="signup">`, or on anything inside.
 *
 * On a form's submit button it sees the Enter key as well, which clicks that button.
 */
import { listen } from '../lib/listen.ts';
import type { Instrumentation } from '../instrumentation.ts';
import { attributes } from '../lib/attributes.ts';

export const actions: Instrumentation = (emit) => {
  listen('click', (event) => {
    const fields = attributes(event.composedPath());
    if (fields.event) emit(fields.event, fields);
  });
};
