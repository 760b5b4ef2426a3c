// What somebody is typing, so that it is still there after a sign-in that leaves the page. It is written down
// only when that happens, and only whoever typed it gets it back. Never used for keys and secrets.
import { session } from "./current.ts";
import { forget, keep, namesFrom, recall } from "./tab-storage.ts";

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

/** What is written down. */
interface Kept {
  /** Who typed it: the subject of their token. */
  of: string;
  value: object;
}

/** Writes down what is typed in all forms that are shown. */
export function keepDrafts(): void {
  const of = session().subject;
  for (const [name, value] of live) keep(PREFIX + name, JSON.stringify({ of, value: value() }));
}

/** Forgets what was written down; with `but`, only what others than this person typed. */
export function dropDrafts(but?: string): void {
  for (const name of namesFrom(PREFIX)) {
    if (but === undefined || kept(name)?.of !== but) forget(name);
  }
}

function readDraft(name: string): object {
  const draft = kept(PREFIX + name);
  forget(PREFIX + name);
  return draft && draft.of === session().subject ? draft.value : {};
}

function kept(name: string): Kept | null {
  try {
    return JSON.parse(recall(name) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}
