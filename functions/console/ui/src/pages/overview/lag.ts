// How long events take, from the newest of them.
import type { LedgerEvent } from "../../api/types.ts";

/** The middle and the longest of some lengths of time, in milliseconds. */
export interface Span {
  median: number;
  longest: number;
}

function spanOf(lengths: number[]): Span | null {
  const sorted = lengths.filter((length) => Number.isFinite(length)).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const longest = sorted.at(-1);
  return median === undefined || longest === undefined ? null : { median, longest };
}

/** Stripe stamps whole seconds, so an event can seem to come before it was made: that is no time at all. */
export function lagOf(events: readonly LedgerEvent[]): { arrival: Span | null; applied: Span | null } {
  const delivered = events.filter((event) => event.source === "delivery" && event.created);
  const once = events.filter((event) => event.marked_at && event.attempts === 0 && event.by === null);
  return {
    arrival: spanOf(
      delivered.map((event) => Math.max(0, Date.parse(event.received_at) - Date.parse(event.created ?? ""))),
    ),
    applied: spanOf(
      once.map((event) => Math.max(0, Date.parse(event.marked_at ?? "") - Date.parse(event.received_at))),
    ),
  };
}
