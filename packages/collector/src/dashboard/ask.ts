import { Hono } from 'hono';
import { html } from 'hono/html';
import { ASK_CSS } from './ask-css.ts';
import { browserScript } from './browser-script.ts';

/** `GET /ask`: a page to try each call of `/openapi.json`. */
export function askRoutes(): Hono {
  const routes = new Hono();
  const scripts = {
    '/ask.js': browserScript('browser/ask'),
    '/indent.js': browserScript('../indent'),
  };
  for (const [path, script] of Object.entries(scripts)) {
    const type = { 'Content-Type': 'text/javascript; charset=utf-8', 'Cache-Control': 'no-cache' };
    routes.get(path, (context) => context.body(script, 200, type));
  }
  routes.get('/ask.css', (context) =>
    context.body(ASK_CSS, 200, { 'Content-Type': 'text/css; charset=utf-8' }),
  );
  routes.get('/ask', (context) => context.html(page));
  return routes;
}

const page = html`<!doctype html>
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>Ask · Metronome</title>
      <link rel="icon" href="/favicon.svg" />
      <link rel="stylesheet" href="/home.css" />
      <link rel="stylesheet" href="/ask.css" />
      <script type="module" src="/ask.js"></script>
    </head>
    <body>
      <main>
        <h1>Ask</h1>
        <p class="lead">
          Every call that this collector answers, as
          <a id="description" href="/openapi.json">openapi.json</a>
          <button id="describe" type="button" hidden>openapi.json</button> describes it.
          <a href="/">Back</a>
        </p>
        <noscript><p>This page needs JavaScript; the calls do not.</p></noscript>
        <form id="form">
          <div id="guarded" hidden>
            <label for="token">Read token</label>
            <input id="token" type="password" autocomplete="off" aria-describedby="why" />
            <small id="why">This collector answers only with one.</small>
          </div>
          <div>
            <label for="call">Call</label>
            <select id="call" aria-describedby="summary"></select>
            <small id="summary"></small>
          </div>
          <div id="fields"></div>
          <button>Ask</button>
        </form>
        <section id="answer" aria-labelledby="link" hidden>
          <h2>GET <a id="link" href="/tock.json"></a></h2>
          <div id="command" hidden>
            <pre tabindex="0" aria-label="Command"><code id="curl"></code></pre>
            <button id="copy" type="button" hidden>Copy</button>
          </div>
          <p id="state" role="status"></p>
          <pre tabindex="0" aria-labelledby="link"><code id="text"></code></pre>
        </section>
      </main>
    </body>
  </html>`;
