// The name of a kind in the middle and at the beginning of a sentence.
import { plain } from "../../format/text.ts";
import { kindName } from "../../parts/state-of.ts";

/** Many of a kind: `invoice payments`. */
export function many(kind: string): string {
  return kindName(kind).other;
}

/** Many of a kind, as a heading: `Invoice payments`. */
export function heading(kind: string): string {
  return plain(kindName(kind).other);
}

/** One of a kind: `invoice payment`. */
export function one(kind: string): string {
  return kindName(kind).one;
}
