interface ImportMetaEnv {
  /** Base URL of the collector. */
  readonly VITE_METRONOME_URL: string;
}
