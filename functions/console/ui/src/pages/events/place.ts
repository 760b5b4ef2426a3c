// Where somebody was in the list of events, so that "back" from an event leads to the same rows. A filter such as
// "in the last 24 hours" is kept with it: counted anew, it would be another list.
import type { EventFilter } from "../../api/types.ts";

/** So long a place is worth going back to; the rows are kept as long. */
const KEPT_MS = 10 * 60_000;

export interface Place {
  asked: string;
  filter: EventFilter;
  scrolled: number;
  left: number | null;
}

let last: Place | undefined;

/** The place of the list with these filters: the last one if it is the same and young, else the top. */
export function recallPlace(asked: string, filter: () => EventFilter): Place {
  const same = last?.asked === asked && last.left !== null && Date.now() - last.left < KEPT_MS;
  if (!last || !same) last = { asked, filter: filter(), scrolled: 0, left: null };
  return last;
}

/** Goes to the place, and keeps it up to date until the returned function is called. */
export function watchPlace(place: Place): () => void {
  const goal = place.left === null ? 0 : place.scrolled;
  place.left = null;
  let there = goal === 0;
  // The page begins at its top; two frames later the rows are there.
  const frame = requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      if (!there) window.scrollTo(0, goal);
      there = true;
    }),
  );
  const scrolled = () => {
    if (there) place.scrolled = window.scrollY;
  };
  window.addEventListener("scroll", scrolled, { passive: true });
  return () => {
    cancelAnimationFrame(frame);
    window.removeEventListener("scroll", scrolled);
    place.left = Date.now();
  };
}
