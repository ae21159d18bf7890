/**
 * The limit that intake is measured against: a bare node:http server that parses the body,
 * appends it and group-commits with fdatasync before its 202. No checks, no enrichment.
 *
 *   node bench/bare-server.ts FILE
 *
 * Its one line of output says where it listens.
 */
import { fdatasync, openSync, write } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const fd = openSync(process.argv[2] ?? '/dev/null', 'a');

let lines: string[] = [];
let waiting: ServerResponse[] = [];
let committing = false;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    JSON.parse(body);
    lines.push(body);
    waiting.push(response);
    if (!committing) commit();
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}`);
});

function commit(): void {
  committing = true;
  const group = waiting;
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  waiting = [];
  lines = [];
  write(fd, bytes, (writeError) => {
    if (writeError) throw writeError;
    fdatasync(fd, (syncError) => {
      if (syncError) throw syncError;
      for (const response of group) {
        response.writeHead(202, { 'content-type': 'application/json', 'content-length': 2 });
        response.end('{}');
      }
      committing = false;
      if (waiting.length > 0) commit();
    });
  });
}
