import { Agent, get } from 'node:http';
import { number, quantile } from '../benchmark.ts';

/** What answers took, in ms. */
export type Times = readonly number[];

/** One question after the other. */
export async function timesOf(count: number, ask: (n: number) => unknown): Promise<Times> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const start = performance.now();
    await ask(n);
    times.push(performance.now() - start);
  }
  return times;
}

/** The bodies of a collector's answers, by a connection that is kept. */
export function reader(url: string): { get(path: string): Promise<string>; end(): void } {
  const agent = new Agent({ keepAlive: true });
  return {
    get: (path) =>
      new Promise((resolve, reject) => {
        const asked = get(`${url}${path}`, { agent }, (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (body += chunk));
          response.on('end', () => {
            if (response.statusCode === 200) resolve(body);
            else reject(new Error(`${path} is a ${response.statusCode}: ${body}`));
          });
        });
        asked.on('error', reject);
      }),
    end: () => agent.destroy(),
  };
}

/** `p50 1.2, p95 3.4`. */
export function shownTimes(times: Times): string {
  return `${number(quantile(times, 0.5), 1)} / ${number(quantile(times, 0.95), 1)}`;
}
