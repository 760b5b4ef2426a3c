// The lines of an invoice as Stripe has them: what for, how many, how much, and the product and price of each.
import type { Kind } from "../../api/kinds.ts";
import type { Integer } from "../../api/types.ts";
import { member } from "../../format/text.ts";
import { type AnyRecord, integerIn, textIn } from "./record.ts";
import { type Linked, linkedOfLine } from "./references.ts";

export interface Line {
  /** Of its own among the lines, whatever their ids are. */
  key: string;
  id: string;
  description: string | null;
  quantity: Integer | null;
  amount: Integer | null;
  currency: string | null;
  linked: Linked[];
}

/** The lines that are here. */
export function linesOf(record: AnyRecord, kinds: readonly Kind[]): Line[] {
  const lines = member(record.object, "lines.data");
  return (Array.isArray(lines) ? lines : []).map((line: unknown, n) => {
    const id = textIn(line, "id") ?? "";
    return {
      key: `${n}/${id}`,
      id,
      description: textIn(line, "description"),
      quantity: integerIn(line, "quantity"),
      amount: integerIn(line, "amount"),
      currency: textIn(line, "currency") ?? record.currency,
      linked: linkedOfLine(line, record, kinds),
    };
  });
}

/** Whether there are others: they follow, or they are not here; null where these are all. */
export function hasMoreLines(record: AnyRecord): "follow" | "missing" | null {
  if (member(record.object, "lines.has_more") !== true) return null;
  return record.complete === false && record.incomplete_reason === "fetching" ? "follow" : "missing";
}
