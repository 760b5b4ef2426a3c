// Where what somebody looks for leads: an event, a record, or a search through all kinds.
import type { Kind } from "../../api/kinds.ts";
import { kindsOf } from "../../format/ids.ts";
import { to } from "../../links.ts";

/** The longest text that the API searches for. */
export const LONGEST = 200;

/** What is looked for: one event or one record by its id, or all that has a text in it. */
export type Target = { page: string } | { text: string };

/** Reads what was typed. An id is known by what stands before its underscore. */
export function targetOf(typed: string, kinds: readonly Kind[]): Target {
  const text = typed.trim().toWellFormed();
  const isId = /^[a-z]+_\S+$/i.test(text) && !text.includes("@");
  if (isId && text.startsWith("evt_")) return { page: to.event(text) };
  const of = isId ? kindsOf(text, kinds) : [];
  // Beginnings that several kinds share lead to none of them alone.
  return of.length === 1 && of[0] ? { page: to.record(of[0].kind, text) } : { text };
}

/** The kinds in the order in which they are searched: what people look for most comes first. */
export function searched(kinds: readonly Kind[]): Kind[] {
  return [
    ...kinds.filter((kind) => kind.object === "customer"),
    ...kinds.filter((kind) => kind.object !== "customer"),
  ];
}
