/** `utm_…` of the address, on every event of the view that the document began with. */
import type { Instrumentation, View } from '../instrumentation.ts';

export const campaign: Instrumentation = (_emit, { view }) => {
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (name.startsWith('utm_')) (view() as View & Record<string, string>)[name] = value;
  }
};
