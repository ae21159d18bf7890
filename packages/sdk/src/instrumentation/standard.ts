import type { Instrumentation } from '../instrumentation.ts';
import type { Options } from '../options.ts';
import { actions } from './actions.ts';
import { engagement } from './engagement.ts';
import { errors } from './errors.ts';
import { links } from './links.ts';
import { views } from './views.ts';

const byOption = { views, engagement, errors, links, actions };

/** What is observed from the start, without what the options leave out. */
export const standard = (options: Options): Instrumentation[] =>
  Object.entries(byOption)
    .filter(([name]) => options[name as keyof Options] !== false)
    .map(([, instrumentation]) => instrumentation);
