import { MetronomeError } from '../../errors.ts';
import type { Engine } from './engine.ts';
import type { Counted, RollupState } from './rollup-plan.ts';
import { countedOf, readState } from './rollup-state.ts';
import type { Rollup } from './rollup.ts';
import { arrange, hasOthers } from './rollup-tables.ts';
import type { Session } from './session.ts';

const UNDECLARED =
  'The data folder has counts of a query that this configuration does not declare; say where that of the collector is (METRONOME_CONFIG), or start the collector.';

/** The state of the rollups as it is in the tables, known without a look at them. */
export class KnownState {
  readonly #engine: Engine;
  readonly #wanted: readonly Rollup[];
  readonly #keepsUndeclared: boolean;
  #state: RollupState | undefined;

  constructor(engine: Engine, wanted: readonly Rollup[], keepsUndeclared: boolean) {
    this.#engine = engine;
    this.#wanted = wanted;
    this.#keepsUndeclared = keepsUndeclared;
  }

  /** As of the last commit, or the one before: both are true. */
  async seenBy(session: Session): Promise<RollupState> {
    return this.#state ?? readState(session, this.#wanted);
  }

  async current(): Promise<RollupState> {
    return this.#state ?? this.#engine.read((session) => this.seenBy(session));
  }

  /** Runs `work` after all earlier upkeep, with the state in which that has left the tables. */
  upkeep<T>(work: (session: Session, state: RollupState) => Promise<T>): Promise<T> {
    return this.#engine.upkeep((session) =>
      this.#orForgotten(async () => {
        this.#state ??= await this.#arranged(session);
        return work(session, this.#state);
      }),
    );
  }

  /** Runs `work` likewise, which writes by the engine's writer, and has no connection of its own. */
  inTurn<T>(work: (state: RollupState) => Promise<T>): Promise<T> {
    return this.#engine.inTurn(() =>
      this.#orForgotten(async () => {
        this.#state ??= await this.#engine.read((session) => this.#arranged(session));
        return work(this.#state);
      }),
    );
  }

  change(to: (known: RollupState) => RollupState): void {
    if (this.#state) this.#state = to(this.#state);
  }

  /** After a commit that has brought a rollup further. */
  changeOf(rollup: Rollup, to: Partial<Counted>): void {
    this.change((known) => {
      const counted = { ...countedOf(known, rollup), ...to };
      return { ...known, rollups: new Map([...known.rollups, [rollup.name, counted]]) };
    });
  }

  async #orForgotten<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // Nobody knows what is committed: it is read again.
      this.#state = undefined;
      throw error;
    }
  }

  async #arranged(session: Session): Promise<RollupState> {
    if (this.#keepsUndeclared && (await hasOthers(session, this.#wanted))) {
      throw new MetronomeError('config', UNDECLARED);
    }
    await session.transaction(() => arrange(session, this.#wanted));
    return readState(session, this.#wanted);
  }
}
