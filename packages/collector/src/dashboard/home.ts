import { Hono } from 'hono';
import { html } from 'hono/html';
import { FAVICON_SVG, HOME_CSS } from './home-assets.ts';

export interface HomeParts {
  /** Epoch ms of the last event received; undefined before the first. */
  readonly lastReceivedAt: () => Promise<number | undefined>;
  /** Items of the example that this collector serves under `/example/`; none when it does not. */
  readonly exampleItems: readonly string[];
  /** Epoch ms. */
  readonly now: () => number;
}

type Html = ReturnType<typeof html>;

/** `GET /` greets a newcomer: what to paste, whether events arrive, where the answers are. */
export function homeRoutes(parts: HomeParts): Hono {
  const routes = new Hono();
  routes.get('/', async (context) => {
    // Only shown, so the word of any proxy is good enough.
    const isSecure = /^https\b/u.test(context.req.header('x-forwarded-proto') ?? '');
    const { protocol, host } = new URL(context.req.url);
    const origin = `${isSecure ? 'https:' : protocol}//${host}`;
    const last = await parts.lastReceivedAt();
    context.header('Cache-Control', 'no-store');
    return context.html(page(origin, lastEvent(last, parts.now()), parts.exampleItems));
  });
  routes.get('/home.css', (context) =>
    context.body(HOME_CSS, 200, { 'Content-Type': 'text/css; charset=utf-8' }),
  );
  // The second for pages that name none: browsers ask for it by themselves.
  routes.on('GET', ['/favicon.svg', '/favicon.ico'], (context) =>
    context.body(FAVICON_SVG, 200, { 'Content-Type': 'image/svg+xml' }),
  );
  return routes;
}

function page(origin: string, last: Html, items: readonly string[]): Html {
  const tag = `<script defer src="${origin}/metronome.js" data-item="my-dataset"></script>`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Metronome</title>
        <link rel="icon" href="/favicon.svg" />
        <link rel="stylesheet" href="/home.css" />
      </head>
      <body>
        <main>
          <h1>Metronome</h1>
          <p class="lead">How your items are used. This collector is running.</p>
          <section aria-labelledby="last">
            <h2 id="last">Last event</h2>
            ${last}
          </section>
          ${items.length === 0 ? '' : example(items)}
          <section aria-labelledby="tag">
            <h2 id="tag">Add it to a page</h2>
            <pre tabindex="0"><code>${tag}</code></pre>
            <p>
              <code>data-item</code> names what the page is about. Leave it out and the path of the
              page is its item.
            </p>
          </section>
          <section aria-labelledby="ask">
            <h2 id="ask">Ask</h2>
            <ul>
              <li><a href="/tock.json">/tock.json</a> the whole site</li>
              <li><code>/tock/ITEM.json</code> one item: its views, downloads and referers</li>
              <li><a href="/ask">/ask</a> all that can be asked, to try</li>
              <li><a href="/ready">/ready</a> and <a href="/metrics">/metrics</a> for operators</li>
            </ul>
          </section>
        </main>
      </body>
    </html>`;
}

function lastEvent(at: number | undefined, now: number): Html {
  if (at === undefined)
    return html`<p>None yet. <a href="/">Look again</a> once a page with the tag was visited.</p>`;
  const iso = new Date(at).toISOString();
  return html`<p><time datetime="${iso}">${ago(now - at)}</time> <small>${iso}</small></p>`;
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 2) return 'just now';
  if (seconds < 120) return `${seconds} seconds ago`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} minutes ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours ago` : `${Math.round(hours / 24)} days ago`;
}

function example(items: readonly string[]): Html {
  return html`<section aria-labelledby="example">
    <h2 id="example">Try the example</h2>
    <p>
      <a href="/example/">Open the catalogue</a>, look around, download a file. Then read what was
      counted:
    </p>
    <ul>
      ${items.map((item) => html`<li><a href="/tock/${item}.json">/tock/${item}.json</a></li>`)}
    </ul>
  </section>`;
}
