// The filters of the list of events: as the address has them, and as the API is asked for them.
import type { EventFilter, EventState } from "../../api/types.ts";
import type { Filters } from "../../parts/hash-query.svelte.ts";

export const NAMES = ["state", "since", "until", "type", "object", "endpoint", "reason", "account"] as const;
export type Name = (typeof NAMES)[number];
export type Asked = Filters<Name>;

export const STATES: readonly EventState[] = [
  "pending",
  "failed",
  "dead",
  "quarantined",
  "processed",
  "superseded",
  "ignored",
];

const HOUR = 3_600_000;
/** How far back the list looks, by the word in the address. */
export const SPANS = { "1h": HOUR, "24h": 24 * HOUR, "7d": 7 * 24 * HOUR, "30d": 30 * 24 * HOUR } as const;
export type Span = keyof typeof SPANS | "all";

const OPEN: readonly string[] = ["pending", "failed", "dead", "quarantined"];

/**
 * How far back the list looks while nobody has said so: a day; but all that waits, however old, and all of one
 * object, since these lists are short and asked for whole.
 */
export function usualSpan(asked: Asked): Span {
  return OPEN.includes(asked.state) || asked.object || asked.until ? "all" : "24h";
}

/** The time before which nothing is asked for; a word counts from `now`, a time is itself. */
export function sinceOf(asked: Asked, now: number): string | undefined {
  const since = asked.since || usualSpan(asked);
  if (since === "all") return undefined;
  if (!Object.hasOwn(SPANS, since)) return since;
  return new Date(now - SPANS[since as keyof typeof SPANS]).toISOString();
}

/** Whether nothing new can come into the list any more. */
export function isOver(asked: Asked, now: number): boolean {
  return Date.parse(asked.until) <= now;
}

/** What the API is asked for. */
export function toFilter(asked: Asked, now: number): EventFilter {
  const filter: Record<string, string> = {};
  for (const name of NAMES) {
    const value = name === "since" ? sinceOf(asked, now) : asked[name];
    if (value) filter[name] = value;
  }
  return filter as EventFilter;
}

/** Whether the list can lose events while it is read, because their state or reason changes. */
export function canLose(asked: Asked): boolean {
  return asked.state !== "" || asked.reason !== "";
}
