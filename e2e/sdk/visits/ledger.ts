import type { VisitorPlan } from './plan.ts';
import type { Left, Note } from './visit-page.ts';

/** What the SDK recorded, told by the pages themselves and never by way of the collector. */
export interface Recorded extends Note {
  /** From 0. */
  readonly visit: number;
}

/** How a visit came to its end. */
export interface Ending {
  /** Of the visit, in epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly killed: boolean;
  /**
   * Whether the collector could not be reached then. To be asked of a visitor's last visit, when
   * all that it sent has come to its end.
   */
  readonly isCutOff: () => boolean;
}

export class Visitor {
  readonly plan: VisitorPlan;
  /** By id. */
  readonly events: Map<string, Recorded> = new Map();
  /** One for each visit that was made. */
  readonly endings: Ending[] = [];
  /** Ids of events that are kept on the device after the latest visit. */
  waiting: ReadonlySet<string> = new Set();
  /** Why the driver could not play all of it. */
  broken: string | undefined;

  constructor(plan: VisitorPlan) {
    this.plan = plan;
  }
}

/** The truth that the store is held against. */
export class Ledger {
  readonly #visitors: ReadonlyMap<string, Visitor>;

  constructor(plans: readonly VisitorPlan[]) {
    this.#visitors = new Map(plans.map((plan) => [plan.name, new Visitor(plan)]));
  }

  get visitors(): Visitor[] {
    return [...this.#visitors.values()];
  }

  of({ name }: VisitorPlan): Visitor {
    const visitor = this.#visitors.get(name);
    if (visitor === undefined) throw new Error(`Nobody planned a visitor ${name}`);
    return visitor;
  }

  /** `truth`: events were recorded. `left`: what is on the device when a visit is over. */
  told(plan: VisitorPlan, visit: number, what: string, body: unknown): void {
    const visitor = this.of(plan);
    const record = (note: Note): void => {
      if (!visitor.events.has(note.id)) visitor.events.set(note.id, { ...note, visit });
    };
    if (what === 'truth') for (const note of body as Note[]) record(note);
    if (what === 'left') {
      const { notes, waiting } = body as Left;
      for (const note of notes) record(note);
      visitor.waiting = new Set(waiting);
    }
  }
}
