// Where a button and what it opens take each other's place: the focus goes along, or it would be lost with the button.
const TAKES_FOCUS = "input:not([disabled]), select, textarea, button:not([disabled]), a[href]";

export class FocusMove {
  #going = false;

  /** What has the focus is about to go; what comes next takes it. */
  go(): void {
    this.#going = true;
  }

  /** For what comes: an attachment that takes the focus into it, if something went for it. */
  arrive = (node: HTMLElement): void => {
    if (!this.#going) return;
    this.#going = false;
    const first = node.matches(TAKES_FOCUS) ? node : node.querySelector<HTMLElement>(TAKES_FOCUS);
    first?.focus();
  };
}
