// The present moment as something that what is shown depends on: "12 s ago" grows older by itself. It ticks only
// while something reads it and the page can be seen.
import { createSubscriber } from "svelte/reactivity";

const subscribe = createSubscriber((update) => {
  const timer = setInterval(() => document.hidden || update(), 1000);
  const seen = () => document.hidden || update();
  document.addEventListener("visibilitychange", seen);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", seen);
  };
});

/** Milliseconds since 1970, a second exact. */
export function now(): number {
  subscribe();
  return Date.now();
}
