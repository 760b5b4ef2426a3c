// Counts and sizes as text.
import type { Count, Integer } from "../api/types.ts";
import { words } from "../words/words.ts";

const numbers = new Intl.NumberFormat(words.language);

/** An integer with its thousands apart. */
export function integer(value: Integer): string {
  return numbers.format(value);
}

/** A count of the status, which is exact up to 1,000. */
export function count(value: Count): string {
  return typeof value === "number" ? integer(value) : `${integer(1000)}+`;
}

/** Whether a count is of anything. */
export function some(value: Count): boolean {
  return value !== 0;
}

const plurals = new Intl.PluralRules(words.language);

/** A number with the form of a noun that belongs to it. */
export function counted(value: Integer, forms: { one: string; other: string }): string {
  const rule = plurals.select(Number(value));
  return `${integer(value)} ${rule === "one" ? forms.one : forms.other}`;
}
