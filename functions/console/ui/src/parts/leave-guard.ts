// Keeps people on the page while something runs that would end with it.

/** What tells that the address has changed; the first of them comes first. */
const MOVES = ["popstate", "hashchange"] as const;

/**
 * Until the returned function is called, closing the page asks first, and a change of the address is taken back:
 * `warn` is to say why. The listeners capture, so that they come before the router's.
 */
export function guardLeaving(warn: () => void): () => void {
  const here = location.href;
  const closing = (event: BeforeUnloadEvent) => event.preventDefault();
  const moving = (event: Event) => {
    if (location.href === here) return;
    event.stopImmediatePropagation();
    history.pushState(history.state, "", here);
    warn();
  };
  window.addEventListener("beforeunload", closing);
  for (const move of MOVES) window.addEventListener(move, moving, { capture: true });
  return () => {
    window.removeEventListener("beforeunload", closing);
    for (const move of MOVES) window.removeEventListener(move, moving, { capture: true });
  };
}
