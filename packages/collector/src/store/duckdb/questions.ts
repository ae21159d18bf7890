import type { Query, Row } from '../../query/query.ts';
import { compile, type CompiledQuery } from './compile.ts';
import type { Engine } from './engine.ts';
import type { Rollups } from './rollups.ts';
import { toRows } from './rows.ts';
import { inlined, type Session, type Statement } from './session.ts';
import { groupsOf, type Together, together } from './together.ts';

/** Answers queries; those that are asked in one turn by one statement, where they can share it. */
export class Questions {
  readonly #engine: Engine;
  readonly #rollups: Rollups;
  readonly #asked = new Turn((queries) => this.#answer(queries));
  readonly #explained = new Turn((queries) => this.#explain(queries));

  constructor(engine: Engine, rollups: Rollups) {
    this.#engine = engine;
    this.#rollups = rollups;
  }

  ask(query: Query): Promise<readonly Row[]> {
    return this.#asked.add(query);
  }

  /** The statement that answers the query, with its values. */
  explain(query: Query): Promise<string> {
    return this.#explained.add(query);
  }

  async #answer(queries: readonly Query[]): Promise<readonly (readonly Row[])[]> {
    const shared = await this.#engine.read(async (session) => {
      const statement = await this.#shared(session, queries);
      if (statement === undefined) return undefined;
      const values = await session.ask(statement);
      return queries.map((query) => statement.rowsOf(query, values));
    });
    return shared ?? Promise.all(queries.map((query) => this.#answerOne(query)));
  }

  #answerOne(query: Query): Promise<readonly Row[]> {
    return this.#engine.read(async (session) => {
      const compiled = await this.#compiled(session, query);
      return toRows(await session.ask(compiled), compiled, query.timeZone ?? 'UTC');
    });
  }

  #explain(queries: readonly Query[]): Promise<readonly string[]> {
    return this.#engine.read(async (session) => {
      const statement = await this.#shared(session, queries);
      if (statement) {
        const many = `-- One statement for ${queries.length} questions.`;
        const again = '-- Answered by the statement of the question before.';
        return queries.map((_, index) => (index === 0 ? `${many}\n${shown(statement)}` : again));
      }
      const compiled: string[] = [];
      for (const query of queries) compiled.push(shown(await this.#compiled(session, query)));
      return compiled;
    });
  }

  async #shared(session: Session, queries: readonly Query[]): Promise<Together | undefined> {
    return together(queries, await this.#rollups.state(session));
  }

  async #compiled(session: Session, query: Query): Promise<CompiledQuery> {
    return compile(query, await this.#rollups.plan(session, query));
  }
}

/** A statement as the engine gets it; what cannot be written out is bound, and comes after it. */
export function shown(statement: Statement): string {
  const bound = statement.params.map(
    (value, index) => `-- $${index + 1} = ${JSON.stringify(value)}`,
  );
  return inlined(statement) ?? [statement.sql, ...bound].join('\n');
}

/** Gathers queries until the turn ends, and hands them on in groups that may share a statement. */
class Turn<T> {
  readonly #answer: (group: readonly Query[]) => Promise<readonly T[]>;
  #queries: Query[] = [];
  #answers: Promise<ReadonlyMap<Query, Promise<T>>> | undefined;

  constructor(answer: (group: readonly Query[]) => Promise<readonly T[]>) {
    this.#answer = answer;
  }

  async add(query: Query): Promise<T> {
    this.#queries.push(query);
    this.#answers ??= Promise.resolve().then(() => this.#end());
    const answer = (await this.#answers).get(query);
    if (answer === undefined) throw new Error('a query has been lost');
    return answer;
  }

  #end(): ReadonlyMap<Query, Promise<T>> {
    const queries = new Set(this.#queries);
    [this.#queries, this.#answers] = [[], undefined];
    const answers = new Map<Query, Promise<T>>();
    for (const group of groupsOf([...queries])) {
      const answered = this.#answer(group);
      for (const [index, query] of group.entries()) {
        answers.set(
          query,
          answered.then((all) => all[index] as T),
        );
      }
    }
    return answers;
  }
}
