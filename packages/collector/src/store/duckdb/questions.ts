import type { Query, Row } from '../../query/query.ts';
import { compile } from './compile.ts';
import type { Engine } from './engine.ts';
import { planRollups } from './rollup-plan.ts';
import type { Rollups } from './rollups.ts';
import { toRows } from './rows.ts';
import { groupsOf, together } from './together.ts';

type Answers = ReadonlyMap<Query, Promise<readonly Row[]>>;

/** Answers queries; those that are asked in one turn by one statement, where they can share it. */
export class Questions {
  readonly #engine: Engine;
  readonly #rollups: Rollups;
  #asked: Query[] = [];
  #answers: Promise<Answers> | undefined;

  constructor(engine: Engine, rollups: Rollups) {
    this.#engine = engine;
    this.#rollups = rollups;
  }

  async ask(query: Query): Promise<readonly Row[]> {
    this.#asked.push(query);
    this.#answers ??= Promise.resolve().then(() => this.#answerAll());
    const answers = await this.#answers;
    return (await answers.get(query)) ?? [];
  }

  #answerAll(): Answers {
    const asked = new Set(this.#asked);
    [this.#asked, this.#answers] = [[], undefined];
    const answers = new Map<Query, Promise<readonly Row[]>>();
    for (const group of groupsOf([...asked])) {
      const answered = this.#answer(group);
      for (const query of group)
        answers.set(
          query,
          answered.then((rows) => rows.get(query) ?? []),
        );
    }
    return answers;
  }

  async #answer(queries: readonly Query[]): Promise<ReadonlyMap<Query, readonly Row[]>> {
    const shared = await this.#engine.read(async (session) => {
      const statement = together(queries, await this.#rollups.state(session));
      if (statement === undefined) return undefined;
      const values = await session.ask(statement);
      return new Map(queries.map((query) => [query, statement.rowsOf(query, values)]));
    });
    if (shared) return shared;
    const rows = await Promise.all(queries.map((query) => this.#answerOne(query)));
    return new Map(queries.map((query, index) => [query, rows[index] ?? []]));
  }

  #answerOne(query: Query): Promise<readonly Row[]> {
    return this.#engine.read(async (session) => {
      const compiled = compile(query, planRollups(query, await this.#rollups.state(session)));
      return toRows(await session.ask(compiled), compiled, query.timeZone ?? 'UTC');
    });
  }
}
