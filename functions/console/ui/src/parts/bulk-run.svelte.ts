// One action on all events of a cause, or of a state: counted first, then done step by step, so that it can be watched and stopped.
import { countEvents, discardEvents, replayEvents } from "../api/queries/events.ts";
import type { BulkOutcome } from "../api/types.ts";
import type { StuckState } from "./causes.ts";

export type BulkAction = "replay" | "discard";
export type Phase =
  | "counting" // nothing is changed yet
  | "uncounted" // the count failed
  | "ready" // counted; waits for a yes
  | "running"
  | "stopping" // the step that is under way ends
  | "stopped"
  | "halted" // a step failed
  | "done";

/** So many events a step: few enough that a stop is near, many enough that steps are few. */
const STEP = 100;

const NOTHING = { matching: 0, changed: 0, overtaken: 0, failed: 0 };
type Sums = typeof NOTHING;

/** A bulk action from its count to its result. */
export class BulkRun {
  phase = $state<Phase>("counting");
  /** How many there are to do, from the count. */
  total = $state(0);
  problem = $state<unknown>(null);
  #before = $state.raw<Sums>(NOTHING);
  #now = $state.raw<Sums>(NOTHING);
  #stop = new AbortController();

  constructor(
    readonly action: BulkAction,
    readonly state: StuckState,
    /** What their reasons begin with; empty is whatever the reason is. */
    readonly reason: string,
  ) {}

  /** What has been done so far. */
  get sums(): Sums {
    return add(this.#before, this.#now);
  }

  /** Whether something is being changed at this moment. */
  get running(): boolean {
    return this.phase === "running" || this.phase === "stopping";
  }

  /** Counts without changing anything. */
  async count(): Promise<void> {
    this.phase = "counting";
    this.problem = null;
    this.total = 0;
    const { signal } = this.#stop;
    try {
      this.total = (await countEvents(this.#filter, signal)).matching;
      if (!signal.aborted) this.phase = "ready";
    } catch (problem) {
      if (signal.aborted) return;
      this.problem = problem;
      this.phase = "uncounted";
    }
  }

  /** Does it; after a halt or a stop it goes on. Those that are done are in another state and not found again. */
  async run(why: string): Promise<void> {
    this.phase = "running";
    this.problem = null;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const act = this.action === "replay" ? replayEvents : discardEvents;
    const filter = { ...this.#filter, limit: STEP, ...(why ? { why } : {}) };
    try {
      const end = await act(filter, (sum) => this.#told(sum), signal);
      this.phase = end.next_cursor === null ? "done" : "stopped";
    } catch (problem) {
      this.problem = problem;
      this.phase = "halted";
    }
    this.#before = this.sums;
    this.#now = NOTHING;
  }

  /** Ends it after the step that is under way. */
  stop(): void {
    this.#stop.abort();
    if (this.phase === "running") this.phase = "stopping";
  }

  get #filter() {
    return { state: this.state, ...(this.reason ? { reason: this.reason } : {}) };
  }

  #told({ matching, changed, overtaken, failed }: BulkOutcome): void {
    this.#now = { matching, changed, overtaken, failed };
  }
}

function add(a: Sums, b: Sums): Sums {
  return {
    matching: a.matching + b.matching,
    changed: a.changed + b.changed,
    overtaken: a.overtaken + b.overtaken,
    failed: a.failed + b.failed,
  };
}
