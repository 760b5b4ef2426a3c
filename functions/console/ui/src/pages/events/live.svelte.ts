// A list that stays as it is while somebody reads it, though events go on coming in. What is new waits until it is
// taken in; an event that is shown already gets its present state in place; nothing is taken away.
import type { LedgerEvent, Page } from "../../api/types.ts";

export class LiveList {
  readonly #pages: () => readonly LedgerEvent[];
  #taken = $state.raw<readonly LedgerEvent[]>([]);
  #latest = $state.raw<ReadonlyMap<string, LedgerEvent>>(new Map());
  #waiting = $state.raw<readonly LedgerEvent[]>([]);
  #gone = $state.raw<ReadonlySet<string>>(new Set());
  #gap = $state(false);

  /** `pages` gives what was loaded. */
  constructor(pages: () => readonly LedgerEvent[]) {
    this.#pages = pages;
  }

  readonly #rows = $derived.by(() => {
    const seen = new Set<string>();
    const rows: LedgerEvent[] = [];
    for (const event of [...this.#taken, ...this.#pages()]) {
      if (seen.has(event.id)) continue;
      seen.add(event.id);
      rows.push(this.#latest.get(event.id) ?? event);
    }
    return rows;
  });

  /** What is shown. */
  get rows(): readonly LedgerEvent[] {
    return this.#rows;
  }

  /** What has come in since and is not shown yet. */
  get waiting(): readonly LedgerEvent[] {
    return this.#waiting;
  }

  /** Whether more have come in than one page holds: then the list has to begin anew to show them. */
  get gap(): boolean {
    return this.#gap;
  }

  /** Whether an event does not fit the list any more. */
  hasLeft(id: string): boolean {
    return this.#gone.has(id);
  }

  /** Hears the first page as it is now. `canLose` says whether events can leave the list. */
  heard(first: Page<LedgerEvent>, canLose: boolean): void {
    const rows = this.#rows;
    const place = new Map(rows.map((event, n) => [event.id, n]));
    const now = new Map(first.data.map((event) => [event.id, event]));
    this.#waiting = first.data.filter((event) => !place.has(event.id));
    const known = first.data.length - this.#waiting.length;
    this.#gap = known === 0 && rows.length > 0 && first.next_cursor !== null;

    const changed = first.data.filter((event) => {
      const n = place.get(event.id);
      return n !== undefined && differs(rows[n], event);
    });
    if (changed.length > 0) {
      this.#latest = new Map([...this.#latest, ...changed.map((event) => [event.id, event] as const)]);
    }
    if (!canLose) return;
    // Only within what the first page reaches is it known that one is missing.
    const reach =
      first.next_cursor === null
        ? rows.length
        : Math.max(-1, ...[...now.keys()].map((id) => place.get(id) ?? -1));
    const left = rows.filter((event, n) => n <= reach && !now.has(event.id)).map((event) => event.id);
    const stays = [...this.#gone].filter((id) => !now.has(id));
    const gone = new Set([...stays, ...left]);
    if (gone.size !== this.#gone.size || left.some((id) => !this.#gone.has(id))) this.#gone = gone;
  }

  /** Takes in what waits, at the top. */
  take(): void {
    if (this.#waiting.length === 0) return;
    this.#taken = [...this.#waiting, ...this.#taken];
    this.#waiting = [];
  }
}

function differs(shown: LedgerEvent | undefined, now: LedgerEvent): boolean {
  return JSON.stringify(shown) !== JSON.stringify(now);
}
