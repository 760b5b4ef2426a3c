// The filters of a list of records, as they stand in the address and as the API takes them.
import type { RecordFilter } from "../../api/kinds.ts";
import type { Filters } from "../../parts/hash-query.svelte.ts";
import { LONGEST } from "./search-target.ts";

export const FILTERS = ["search", "status", "customer", "account"] as const;
export type FilterName = (typeof FILTERS)[number];

/** What the API is asked for: without what is not set, and never with a text longer than it takes. */
export function asked(filters: Filters<FilterName>): RecordFilter {
  const set = FILTERS.map((name) => [name, filters[name].trim()] as const).filter(
    ([, value]) => value !== "",
  );
  const filter: RecordFilter = Object.fromEntries(set);
  if (filter.search) filter.search = [...filter.search].slice(0, LONGEST).join("");
  return filter;
}
