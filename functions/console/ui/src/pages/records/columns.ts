// What a list of a kind shows, taken from the description of the kind.
import type { Kind } from "../../api/kinds.ts";

export type ColumnId = "name" | "state" | "amount" | "customer" | "created" | "as_of";

/** The columns of a kind. A payment's state is there though Stripe's statuses are of another object. */
export function columnsOf(kind: Kind): ColumnId[] {
  const all: [ColumnId, boolean][] = [
    ["name", true],
    ["state", kind.statuses.length > 0],
    ["amount", kind.amount !== null],
    ["customer", kind.references.some((reference) => reference.kind === "customers")],
    ["created", true],
    ["as_of", true],
  ];
  return all.filter(([, shown]) => shown).map(([id]) => id);
}
