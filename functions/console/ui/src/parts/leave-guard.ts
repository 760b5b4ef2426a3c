// Keeps people on the page while something runs that would end with it.

/**
 * Until the returned function is called, closing the page asks first, and a change of the address is taken back:
 * `warn` is to say why. The listener captures, so that it comes before the router's.
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
  window.addEventListener("hashchange", moving, { capture: true });
  return () => {
    window.removeEventListener("beforeunload", closing);
    window.removeEventListener("hashchange", moving, { capture: true });
  };
}
