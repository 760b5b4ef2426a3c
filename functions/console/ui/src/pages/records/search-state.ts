// How far a search through the kinds is. Long lists are searched from the newest on, page by page: a page can be
// short or empty and still have a next one.
import type { Problem } from "../../api/problem.ts";

/** What a search has found in one kind so far. */
export interface Finding {
  found: number;
  searching: boolean;
  /** Whether older records were not searched yet. */
  older: boolean;
  /** Why it could not be searched (further). */
  problem: Problem | null;
  /** Why it is asked again by itself just now. */
  trying: Problem | null;
  goOn: () => void;
  again: () => void;
}

/** So many results of a kind are shown; the list of the kind has the rest. */
export const SHOWN = 10;
/** So many pages are read each time that somebody asks. */
export const AT_ONCE = 5;

/** Whether to read another page by itself: while there is room, and not without end. */
export function goesOn(found: number, pages: number, asked: number): boolean {
  return found < SHOWN && pages < asked * AT_ONCE;
}
