import type { Instrumentations } from '../instrumentation.ts';
import { actions } from './actions.ts';
import { campaign } from './campaign.ts';
import { errors } from './errors.ts';
import { links } from './links.ts';
import { views } from './views.ts';

/** What is observed from the start, in the order that compresses best. */
export const standard: Instrumentations = { errors, links, campaign, actions, views };
