// The filters of a list as they stand in the hash's query, so that a link holds them and "back" undoes them.
import { replace, router } from "svelte-spa-router";

/** A filter's value by its name; one that is not set is an empty text. */
export type Filters<N extends string> = Record<N, string>;

/** The filters of these names, as the address has them now. To be read where what depends on them is derived. */
export function readFilters<N extends string>(names: readonly N[]): Filters<N> {
  const query = new URLSearchParams(router.querystring);
  return Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""])) as Filters<N>;
}

/** How many of these filters are set. */
export function countFilters(filters: Filters<string>): number {
  return Object.values(filters).filter(Boolean).length;
}

/** Puts filters into the address, in place of those of the same names; an empty text takes one out. */
export function writeFilters(changes: Partial<Filters<string>>): void {
  const query = new URLSearchParams(router.querystring);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  void replace(router.location + (text ? `?${text}` : ""));
}

/** Takes all these filters out of the address. */
export function clearFilters(names: readonly string[]): void {
  writeFilters(Object.fromEntries(names.map((name) => [name, ""])));
}
