import { unavailable } from './connection.ts';

/** Of a batch that was given while the one before it may still be under way. */
export interface Turn {
  /** Settles when all of the one before it is sent: a node takes some requests at once, not more. */
  readonly sentBefore: Promise<unknown>;
  /** Settles when nothing before it is under way. */
  readonly doneBefore: Promise<unknown>;
  /** To be called when all of this one is sent. */
  readonly sent: () => void;
  /** Waits until this batch may be committed. @throws MetronomeError where one before it failed */
  readonly comes: () => Promise<void>;
}

/** Batches that are taken one after the other, though the next begins while one is under way. */
export class Turns {
  #underWay = 0;
  #sent: Promise<unknown> = Promise.resolve();
  /** Whether everything that was under way together has gone well so far. */
  #done: Promise<boolean> = Promise.resolve(true);

  take<T>(run: (turn: Turn) => Promise<T>): Promise<T> {
    const { promise, resolve: sent } = Promise.withResolvers<void>();
    const sentBefore = this.#sent;
    // What has failed by now is known to whoever gives this one.
    const doneBefore = this.#underWay === 0 ? Promise.resolve(true) : this.#done;
    const comes = async (): Promise<void> => {
      if (!(await doneBefore)) throw unavailable('has not taken the events before these');
    };
    const running = run({ sentBefore, doneBefore, sent, comes });
    this.#underWay++;
    this.#sent = promise;
    this.#done = this.#end(doneBefore, running).finally(sent);
    return running;
  }

  async #end(doneBefore: Promise<boolean>, running: Promise<unknown>): Promise<boolean> {
    const [before, own] = await Promise.allSettled([doneBefore, running]);
    this.#underWay--;
    return before.status === 'fulfilled' && before.value && own.status === 'fulfilled';
  }
}
