import { isbot } from 'isbot';
import { UAParser } from 'ua-parser-js';
import { createBoundedCache } from './bounded-cache.ts';
import { type Facts, factsOf } from './draft.ts';

/** What a User-Agent says. */
export interface AgentFacts {
  readonly bot: boolean;
  readonly browser: string | undefined;
  /** Major version. */
  readonly browserVersion: string | undefined;
  readonly os: string | undefined;
  readonly device: string | undefined;
  /** All but `bot`. */
  readonly facts: Facts;
}

/** Parsing takes 50 µs, and there are some thousand agents in the world's traffic of a day. */
const CACHED_MAX = 16_384;
const CACHED_LENGTH_MAX = 512;
/** The parser's own limit, and enough for the bots' marks. */
const LENGTH_MAX = 500;

/** Reads User-Agents; remembers those that come again. */
export function createAgentReader(): (userAgent: string) => AgentFacts {
  const cache = createBoundedCache<AgentFacts>(CACHED_MAX, CACHED_LENGTH_MAX);
  return (userAgent) => {
    const known = cache.get(userAgent);
    if (known !== undefined) return known;
    const facts = readAgent(userAgent.slice(0, LENGTH_MAX));
    cache.set(userAgent, facts);
    return facts;
  };
}

function readAgent(userAgent: string): AgentFacts {
  const parser = new UAParser(userAgent);
  const browser = parser.getBrowser();
  const os = parser.getOS().name;
  const device = deviceType(parser.getDevice().type, os);
  const version = browser.version?.split('.')[0];
  const facts = factsOf({
    'user_agent.name': browser.name,
    'user_agent.version': version,
    'user_agent.os.name': os,
    'user_agent.device.type': device,
  });
  return {
    bot: isbot(userAgent),
    browser: browser.name,
    browserVersion: version,
    os,
    device,
    facts,
  };
}

function deviceType(type: string | undefined, os: string | undefined): string | undefined {
  if (type === 'smarttv') return 'tv';
  // The parser names no type for the most usual one.
  return type ?? (os === undefined ? undefined : 'desktop');
}
