/**
 * The limit that intake is measured against: a bare node:http server that parses the body,
 * appends it and group-commits with fdatasync before its 202. No checks, no enrichment.
 *
 *   node bench/bare-server.ts PORT FILE
 */
import { fdatasync, openSync, write } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';

const [port, file] = process.argv.slice(2);
const fd = openSync(file ?? '/dev/null', 'a');

let lines: string[] = [];
let waiting: ServerResponse[] = [];
let committing = false;

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    JSON.parse(body);
    lines.push(body);
    waiting.push(response);
    if (!committing) commit();
  });
}).listen(Number(port), '127.0.0.1');

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
