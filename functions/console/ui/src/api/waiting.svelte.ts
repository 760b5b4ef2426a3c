// Whether an answer is late, so that the page can say "still waiting" and is never just frozen.

const LATE_MS = 3_000;

let late = $state(0);

/** How many requests have been waiting for over three seconds. */
export function lateRequests(): number {
  return late;
}

/** Counts a request as late when it has taken so long. To be called when it ends. */
export function watchRequest(): () => void {
  let counted = false;
  const timer = setTimeout(() => {
    counted = true;
    late += 1;
  }, LATE_MS);
  return () => {
    clearTimeout(timer);
    if (counted) late -= 1;
  };
}
