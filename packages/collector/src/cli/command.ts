/** One command of the `metronome` program. */
export interface Command {
  readonly usage: string;
  readonly meaning: string;
  /** Resolves with the exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
}
