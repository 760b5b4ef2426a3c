// What a page says of a table's columns. (The table itself is `table.svelte`.)
import type { Snippet } from "svelte";

/** A column. */
export interface Column<T> {
  id: string;
  head: string;
  cell: Snippet<[T]>;
  /** Numbers and sums stand at the right. */
  align?: "start" | "end";
  /** Not shown where there is little room beside, but in the cards of phones. */
  wide?: boolean;
}
