/**
 * Events without code: a click on `<button data-metronome-event="signup">`, or on anything inside.
 *
 * On a form's submit button it sees the Enter key as well, which clicks that button.
 */
import { listen } from '../lib/listen.ts';
import type { Instrumentation } from '../instrumentation.ts';
import { attribute } from '../lib/attribute.ts';

export const actions: Instrumentation = (emit, _options) => {
  listen('click', (event) => {
    const path = event.composedPath();
    const name = attribute(path, 'metronomeEvent');
    if (name) emit(name, { item: attribute(path, 'metronomeItem') });
  });
};
