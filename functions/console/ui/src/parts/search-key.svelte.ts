// The key that leads to the search. Single keys can be in the way of speech input and of typing mistakes, so it can
// be turned off; this tab remembers that.
import { keep, recall } from "../session/tab-storage.ts";

const KEY = "billhook.search-key";

let on = $state(recall(KEY) !== "off");

/** Whether the key leads to the search. */
export function searchKey(): boolean {
  return on;
}

export function setSearchKey(next: boolean): void {
  on = next;
  keep(KEY, next ? "on" : "off");
}

/** Whether a key press is meant for the search: not while somebody types, nor while a dialog is open. */
export function meansSearch(event: KeyboardEvent): boolean {
  if (!on || event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented)
    return false;
  const at = event.target instanceof HTMLElement ? event.target : null;
  if (at?.closest("input, textarea, select, [contenteditable]")) return false;
  return !document.querySelector("[role=dialog], [role=alertdialog]");
}
