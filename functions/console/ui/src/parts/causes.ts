// Dead and quarantined events by what they have in common. The API's filter knows a reason by what stands before
// its colon, so that is what a group is made of.
import type { LedgerEvent } from "../api/types.ts";
import { words } from "../words/words.ts";

/** States whose events wait for an admin. */
export type StuckState = "dead" | "quarantined";

export interface Cause {
  key: string;
  state: StuckState;
  /** What their reasons begin with, which the API's filter takes; empty where there is none. */
  text: string;
  count: number;
  /** When the first and the last of them came into their state. */
  first: string;
  last: string;
  /** The latest of them. */
  example: LedgerEvent;
}

/** What stands before a reason's colon, as the API's filter takes it. */
export function codeOf(reason: string | null): string | null {
  return reason === null ? null : (reason.split(":")[0] ?? "");
}

/** When an event came into its state. */
export function stuckSince(event: LedgerEvent): string {
  return event.marked_at ?? event.received_at;
}

/** Events by cause, the largest group first. */
export function byCause(events: readonly LedgerEvent[], state: StuckState): Cause[] {
  const causes = new Map<string, Cause>();
  for (const event of events) {
    if (event.state !== state) continue;
    const text = codeOf(event.reason) ?? "";
    const at = stuckSince(event);
    const key = `${state}/${text}`;
    const cause = causes.get(key);
    if (!cause) {
      causes.set(key, { key, state, text, count: 1, first: at, last: at, example: event });
      continue;
    }
    cause.count += 1;
    if (Date.parse(at) < Date.parse(cause.first)) cause.first = at;
    if (Date.parse(at) > Date.parse(cause.last)) {
      cause.last = at;
      cause.example = event;
    }
  }
  return [...causes.values()].sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
}

type Known = keyof typeof words.events.causeWords;

/** What reasons begin with, and which words are theirs. */
const KNOWN: readonly (readonly [RegExp, Known])[] = [
  [/^the key may not do this/, "forbidden"],
  [/^Stripe does not accept the key/, "unauthorized"],
  [/^Stripe does not know the object/, "otherAccount"],
  [/^Stripe gave no answer/, "noAnswer"],
  [/^Stripe refused/, "refused"],
  [/^every attempt ended/, "silent"],
  [/^the record was written by others/, "contended"],
  [/^a (live|test) event at a (live|test) stack/, "otherMode"],
  [/^a thin event/, "thin"],
  [/^the object is too large/, "large"],
  [/^(data\b|the body|`object`|missing field|invalid |expected )/, "unreadable"],
  [/ failed$/, "store"],
];

/** What a reason comes to in the words of this page; none where it is not known. */
export function causeTitle(reason: string | null): string | null {
  const text = codeOf(reason) ?? "";
  const known = KNOWN.find(([begins]) => begins.test(text))?.[1];
  return known && known !== "other" ? words.events.causeWords[known].title : null;
}

/** A cause in the words of this page; one that is not known in its own. */
export function causeWords(cause: Cause): { title: string; todo: string; setsKey: boolean } {
  const said = words.events.causeWords;
  const known = KNOWN.find(([begins]) => begins.test(cause.text))?.[1];
  const setsKey = known === "forbidden" || known === "unauthorized" || known === "otherAccount";
  if (!known || known === "other") {
    return { title: cause.text || words.events.causes.noReason, todo: said.other.todo, setsKey };
  }
  return { ...said[known], setsKey };
}
