// What the tab remembers over a reload or a redirect. A browser can refuse to store anything: then it is
// kept in memory, which a reload loses and nothing else does.

const memory = new Map<string, string>();

/** The text that was kept under a name. */
export function recall(name: string): string | null {
  try {
    return sessionStorage.getItem(name) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

/** Keeps a text. False says that it will not outlive the page. */
export function keep(name: string, text: string): boolean {
  memory.set(name, text);
  try {
    sessionStorage.setItem(name, text);
    return true;
  } catch {
    return false;
  }
}

/** Forgets what was kept under a name. */
export function forget(name: string): void {
  memory.delete(name);
  try {
    sessionStorage.removeItem(name);
  } catch {
    // What could not be stored need not be removed.
  }
}
