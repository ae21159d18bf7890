/** A product that measures pages: how to put it into one, and what its requests say. */
export interface Tracker {
  readonly name: string;
  /**
   * What goes into the head of a page: the tracker, and in `conformance` what the steps need:
   * `beat(n, bytes)` records an event, `deliver()` resolves when what is recorded was sent.
   */
  head(collectorOrigin: string, options: Readonly<Record<string, string | boolean>>): string;
}

/** `thrown` is what nobody caught in the page: nothing of it may come from a tracker. */
export const metronome: Tracker = {
  name: 'metronome',
  head: (collectorOrigin, options) => `<script>
conformance = {
  thrown: [],
  beat: (n, bytes) => metronome.track('beat', { n, ...(bytes && { text: 'x'.repeat(bytes) }) }),
  async deliver() {
    // What follows a click or a navigation comes in a task of its own.
    await new Promise((resolve) => setTimeout(resolve));
    await metronome.flush();
    return this.thrown;
  },
};
for (const type of ['error', 'unhandledrejection']) {
  addEventListener(type, (event) => conformance.thrown.push(event.message ?? String(event.reason)));
}
</script>
<script defer src="${collectorOrigin}/metronome.js" ${attributes(options)}></script>`,
};

function attributes(options: Readonly<Record<string, string | boolean>>): string {
  return Object.entries(options)
    .map(([name, value]) => `data-${name}="${String(value).replaceAll('"', '&quot;')}"`)
    .join(' ');
}
