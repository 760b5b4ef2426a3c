// After a dialog: what opened it may be gone, since what was done took it away. Then the title of the page gets the
// focus, so that it is not lost.

/** To be called when a dialog gives the focus back. */
export function focusBack(): void {
  setTimeout(() => {
    if (document.activeElement === document.body) {
      document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
    }
  });
}
