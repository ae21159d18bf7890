/** Style of the greeting page, served as a file so that the page needs no inline style. */
export const HOME_CSS = `
:root { color-scheme: light dark; --ink: light-dark(#1c2330, #e6e9ef); --page: light-dark(#fbfbf9, #14171c);
  --line: light-dark(#dcdfe4, #333a45); --link: light-dark(#0b57b7, #8ab8ff); --code: light-dark(#f0f1ee, #1e232b); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; margin: 0; letter-spacing: -0.02em; }
h2 { font-size: 1rem; margin: 2.25rem 0 0.5rem; }
p, ul { margin: 0.4rem 0; }
ul { padding-left: 1.2rem; }
.lead, small { color: color-mix(in srgb, var(--ink) 72%, transparent); }
small { margin-left: 0.5rem; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: 6px; padding: 0.9rem 1rem;
  margin: 0.5rem 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.9rem; }
code { font-family: ui-monospace, monospace; font-size: 0.92em; }
a { color: var(--link); text-underline-offset: 0.15em; overflow-wrap: anywhere; }
a:focus-visible, pre:focus-visible { outline: 2px solid var(--link); outline-offset: 3px; border-radius: 2px; }
`;

/** A metronome: body and pendulum. */
export const FAVICON_SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<path d="M11 3h10l6 26H5z" fill="#0b57b7"/><path d="M16 23 25 5" stroke="#fff" stroke-width="2.5" stroke-linecap="round"/>
<path d="M7 24h18" stroke="#fff" stroke-width="2"/></svg>`;
