// What somebody is typing, so that it is still there after a sign-in that leaves the page. It is written down
// only when that happens. Never used for keys and secrets.
import { forget, keep, recall } from "./tab-storage.ts";

const live = new Map<string, () => unknown>();
const PREFIX = "billhook.draft.";

/** The values of a form, by the name of the form. */
export class Draft<T extends object> {
  value: T;
  readonly #name: string;
  readonly #empty: T;

  constructor(name: string, empty: T) {
    this.#name = name;
    this.#empty = empty;
    this.value = $state({ ...empty, ...readDraft(name) });
  }

  /** To be called in an effect of the form: the draft counts as long as the form is shown. */
  attend(): () => void {
    live.set(this.#name, () => $state.snapshot(this.value));
    return () => live.delete(this.#name);
  }

  /** Begins anew. */
  clear(): void {
    this.value = { ...this.#empty };
  }
}

/** Writes down what is typed in all forms that are shown. */
export function keepDrafts(): void {
  for (const [name, value] of live) keep(PREFIX + name, JSON.stringify(value()));
}

function readDraft(name: string): object {
  const text = recall(PREFIX + name);
  forget(PREFIX + name);
  try {
    return text ? (JSON.parse(text) as object) : {};
  } catch {
    return {};
  }
}
