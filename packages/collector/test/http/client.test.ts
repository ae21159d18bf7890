import { BlockList } from 'node:net';
import { expect, test } from 'vitest';
import { clientAddress } from '../../src/http/client.ts';

const trusted = new BlockList();
trusted.addSubnet('10.0.0.0', 8, 'ipv4');
trusted.addAddress('::1', 'ipv6');

test.each([
  ['no header', '203.0.113.9', undefined, '203.0.113.9'],
  ['a stranger is not believed', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['one proxy', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['an IPv4 client of a dual-stack socket', '::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['an address with its port', '10.0.0.1', '198.51.100.1:51234, 10.2.2.2:80', '198.51.100.1'],
  ['an IPv6 address with its port', '10.0.0.1', '[2001:DB8::1]:51234', '2001:db8::1'],
  ['two proxies', '10.0.0.1', '198.51.100.1, 10.2.2.2', '198.51.100.1'],
  [
    'entries before the first stranger are its own word',
    '10.0.0.1',
    '1.1.1.1, 198.51.100.1',
    '198.51.100.1',
  ],
  ['an IPv6 proxy', '::1', '2001:db8::1', '2001:db8::1'],
  ['what is not an address ends the chain', '10.0.0.1', 'unknown, 10.3.3.3', '10.3.3.3'],
])('%s', (_, socket, forwarded, expected) => {
  expect(clientAddress(socket, forwarded, trusted)).toBe(expected);
});
