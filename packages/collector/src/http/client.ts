import type { BlockList } from 'node:net';
import { isIP } from 'node:net';
import { plainAddress } from '../intake/addresses.ts';

const FORWARDED_HOPS_MAX = 20;

/**
 * The address of the client: the socket's, or, behind trusted proxies, the last entry of
 * `X-Forwarded-For` that is not itself a trusted proxy. Entries further left are the client's
 * own word and are never believed.
 */
export function clientAddress(
  socketAddress: string,
  forwardedFor: string | undefined,
  trusted: BlockList,
): string {
  let address = plainAddress(socketAddress);
  if (forwardedFor === undefined || !isTrusted(trusted, address)) return address;
  const hops = forwardedFor.split(',').slice(-FORWARDED_HOPS_MAX);
  for (const hop of hops.toReversed()) {
    const next = plainAddress(hop);
    if (isIP(next) === 0) return address;
    address = next;
    if (!isTrusted(trusted, address)) return address;
  }
  return address;
}

function isTrusted(trusted: BlockList, address: string): boolean {
  return trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
