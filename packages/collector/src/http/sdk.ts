import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { type Context, Hono } from 'hono';
import { accepts } from 'hono/accepts';

/** The script-tag builds that the collector serves first-party. */
const SCRIPTS = ['metronome.js', 'metronome-vitals.js'] as const;

const CACHE_CONTROL = 'public, max-age=3600, stale-while-revalidate=86400';

interface Script {
  readonly etag: string;
  readonly bodies: Readonly<Record<string, Buffer<ArrayBuffer>>>;
}

/** `GET /metronome.js` and `GET /metronome-vitals.js`, compressed once at start. */
export function sdkRoutes(): Hono {
  const routes = new Hono();
  for (const name of SCRIPTS) {
    const script = loadScript(name);
    routes.get(`/${name}`, (context) => serve(context, script));
  }
  return routes;
}

function loadScript(name: string): Script {
  const path = createRequire(import.meta.url).resolve(`@metronome/sdk/${name}`);
  const source = Buffer.from(readFileSync(path));
  const hash = createHash('sha256').update(source).digest('base64url').slice(0, 22);
  const bodies = {
    br: Buffer.from(brotliCompressSync(source)),
    gzip: Buffer.from(gzipSync(source)),
    identity: source,
  };
  return { etag: hash, bodies };
}

function serve(context: Context, { etag, bodies }: Script): Response {
  const encoding = accepts(context, {
    header: 'Accept-Encoding',
    supports: Object.keys(bodies),
    default: 'identity',
  });
  const tag = `"${etag}-${encoding}"`;
  context.header('ETag', tag);
  context.header('Cache-Control', CACHE_CONTROL);
  context.header('Vary', 'Accept-Encoding');
  // Any page may load it, with `crossorigin` and `integrity` too.
  context.header('Access-Control-Allow-Origin', '*');
  context.header('Cross-Origin-Resource-Policy', 'cross-origin');
  if (context.req.header('if-none-match')?.includes(tag)) return context.body(null, 304);
  if (encoding !== 'identity') context.header('Content-Encoding', encoding);
  const body = bodies[encoding] ?? bodies['identity'] ?? Buffer.alloc(0);
  return context.body(body, 200, { 'Content-Type': 'text/javascript; charset=utf-8' });
}
