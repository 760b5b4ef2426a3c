// Where somebody was in the list of events, so that "back" from an event leads to the same rows. A filter such as
// "in the last 24 hours" is kept with it: counted anew, it would be another list.
import type { EventFilter } from "../../api/types.ts";

/** So long a place is worth going back to; the rows are kept as long. */
const KEPT_MS = 10 * 60_000;
/** So many frames a row is looked for: heights of rows are estimates until they have been seen. */
const FRAMES = 20;
/** What lies over the top of the page. */
const HEADER_PX = 60;

/** The first row in sight, and how far below the top of the window it is. */
interface Row {
  index: number;
  top: number;
}

export interface Place {
  asked: string;
  filter: EventFilter;
  row: Row | null;
  left: number | null;
}

let last: Place | undefined;

/** The place of the list with these filters: the last one if it is the same and young, else the top. */
export function recallPlace(asked: string, filter: () => EventFilter): Place {
  const same = last?.asked === asked && last.left !== null && Date.now() - last.left < KEPT_MS;
  if (!last || !same) last = { asked, filter: filter(), row: null, left: null };
  return last;
}

/** Goes to the place, and keeps it up to date until the returned function is called. */
export function watchPlace(place: Place): () => void {
  let goal = place.left === null ? null : place.row;
  let frames = FRAMES;
  place.left = null;
  const go = () => {
    if (!goal || frames-- <= 0 || arrive(goal)) goal = null;
    else frame = requestAnimationFrame(go);
  };
  let frame = requestAnimationFrame(go);
  const scrolled = () => {
    if (!goal) place.row = window.scrollY === 0 ? null : firstInSight();
  };
  const takenOver = () => {
    goal = null;
  };
  window.addEventListener("scroll", scrolled, { passive: true });
  window.addEventListener("wheel", takenOver, { passive: true });
  return () => {
    cancelAnimationFrame(frame);
    window.removeEventListener("scroll", scrolled);
    window.removeEventListener("wheel", takenOver);
    place.left = Date.now();
  };
}

function rowsShown(): (Row & { height: number })[] {
  return [...document.querySelectorAll<HTMLElement>("tbody tr[data-index]")].map((row) => {
    const { top, height } = row.getBoundingClientRect();
    return { index: Number(row.dataset.index), top, height };
  });
}

function firstInSight(): Row | null {
  return rowsShown().find(({ top, height }) => top + height > HEADER_PX) ?? null;
}

/** Moves nearer to a row; says whether it is where it was. */
function arrive(goal: Row): boolean {
  const rows = rowsShown();
  const at = rows.find(({ index }) => index === goal.index);
  const [first] = rows;
  if (at) window.scrollBy(0, at.top - goal.top);
  else if (first) window.scrollBy(0, first.top + (goal.index - first.index) * first.height - goal.top);
  return at !== undefined && Math.abs(at.top - goal.top) < 1;
}
