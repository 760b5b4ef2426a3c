// What a page says of a table's columns. (The table itself is `table.svelte`.)
import type { Snippet } from "svelte";

/** A column. */
export interface Column<T> {
  id: string;
  head: string;
  cell: Snippet<[T]>;
  /** Numbers and sums stand at the right. */
  align?: "start" | "end";
  /** Its part of the width, such as `12rem`, where a long list holds its columns still; the rest share what is left. */
  width?: string;
  /** Not shown where there is little room beside, or unless there is very much, but in the cards of phones. */
  wide?: boolean | "very";
}
