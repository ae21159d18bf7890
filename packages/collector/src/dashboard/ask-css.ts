/** What the form has beyond the style of the greeting page. */
export const ASK_CSS = `
form { margin-top: 1.5rem; }
form div { margin: 0.7rem 0; }
#fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 0 1.25rem; align-items: start; }
label { display: block; font-weight: 600; margin-bottom: 0.25rem; }
input, select, textarea { width: 100%; font: inherit; color: inherit; background: var(--page);
  border: 1px solid color-mix(in srgb, var(--ink) 55%, transparent); border-radius: 6px; padding: 0.45rem 0.6rem; }
form small { display: block; margin: 0.2rem 0 0; }
button { font: inherit; font-weight: 600; color: var(--page); background: var(--link); border: 0; border-radius: 6px;
  padding: 0.55rem 1.6rem; cursor: pointer; }
:is(input, select, textarea, button):focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
#describe { color: var(--link); background: none; padding: 0; font-weight: inherit;
  text-decoration: underline; text-underline-offset: 0.15em; }
#answer { scroll-margin: 1rem; }
#answer h2 { overflow-wrap: anywhere; }
#answer pre { max-height: 40rem; overflow: auto; }
#text[aria-busy] { opacity: 0.4; }
#link:not([href]) { color: inherit; }
#command { display: flex; flex-wrap: wrap; gap: 0 0.75rem; align-items: center; }
#command[hidden] { display: none; }
#command pre { flex: 1 1 15rem; min-width: 0; user-select: all; }
#copy { color: var(--link); background: none; border: 1px solid; padding: 0.35rem 1rem; }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`;
