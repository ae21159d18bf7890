import { TAGS } from '../event.ts';
import { type AgentFacts, createAgentReader } from './agent.ts';
import { addFacts, addTag, addText, type Draft } from './draft.ts';
import { createVisitors } from './visitor.ts';
import type { WireEvent } from './wire.ts';

/** What is known of the sender of a body. */
export interface ClientFacts {
  /** Epoch ms. */
  readonly receivedAt: number;
  readonly ip: string | undefined;
  /** The request's own `User-Agent`. */
  readonly userAgent: string | undefined;
  /** The request has `Origin` or `Sec-Fetch-Site`: it comes from the visitor's own browser. */
  readonly fromBrowser: boolean;
  /** `Sec-GPC: 1` or `DNT: 1`. */
  readonly privacy: boolean;
  /** It has a valid write key: a server, whose own address is no visitor's. */
  readonly privileged: boolean;
  /** An import or restore: events of any age are taken, and clocks are not corrected. */
  readonly imported?: boolean;
}

/**
 * Adds who did it: visitor, session, agent and whether it is a bot; `at` in epoch ms. Under GPC
 * or DNT only the last.
 */
type AddSender = (
  draft: Draft,
  wire: WireEvent,
  at: number,
  /** The event is not of the sender's own doing: a line of a log. */
  forwarded: boolean,
) => void;

/** Returns what begins a body. */
export function createSenders(
  salt: (day: string) => string | Uint8Array,
): (client: ClientFacts) => AddSender {
  const agentOf = createAgentReader();
  const visitorsOf = createVisitors(salt);

  return (client) => {
    const visitorOf = visitorsOf(client.receivedAt);
    const ownAgent = client.fromBrowser ? client.userAgent : undefined;

    const addVisitor = (draft: Draft, wire: WireEvent, at: number, own: boolean): void => {
      if (wire.visitor !== undefined) {
        addText(draft, 'user.id', wire.visitor);
        return;
      }
      const address = wire.address ?? (own ? client.ip : undefined);
      if (address === undefined || address === '') return;
      const visitor = visitorOf(address, wire.userAgent ?? ownAgent ?? '', at);
      addFacts(draft, `,"user.id":"${visitor}","visitor.daily":true`);
    };

    return (draft, wire, at, forwarded) => {
      const userAgent = wire.userAgent ?? ownAgent;
      const agent = userAgent === undefined || userAgent === '' ? undefined : agentOf(userAgent);
      if (wire.bot || agent?.bot === true) {
        draft.bot = true;
        addTag(draft, TAGS.bot);
      }
      if (wire.privacy || client.privacy) {
        addTag(draft, TAGS.privacy);
        return;
      }
      addText(draft, 'session.id', wire.session);
      addAgent(draft, wire, agent);
      addVisitor(draft, wire, at, client.fromBrowser || !(forwarded || client.privileged));
    };
  };
}

/** What the application says of its agent goes before what is read from it. */
function addAgent(draft: Draft, wire: WireEvent, agent: AgentFacts | undefined): void {
  const { browser, browserVersion, os, device } = wire;
  if ((browser ?? browserVersion ?? os ?? device) === undefined) {
    if (agent !== undefined) addFacts(draft, agent.facts);
    return;
  }
  addText(draft, 'user_agent.name', browser ?? agent?.browser);
  addText(draft, 'user_agent.version', browserVersion ?? agent?.browserVersion);
  addText(draft, 'user_agent.os.name', os ?? agent?.os);
  addText(draft, 'user_agent.device.type', device ?? agent?.device);
}
