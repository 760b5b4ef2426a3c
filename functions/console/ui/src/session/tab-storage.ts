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

/** The text that the tab itself holds under a name: a page that the browser brings back may remember more. */
export function heldByTab(name: string): string | null {
  try {
    return sessionStorage.getItem(name);
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

/** The names that begin so, of all that is kept. */
export function namesFrom(beginning: string): string[] {
  const names = new Set(memory.keys());
  try {
    for (let n = 0; n < sessionStorage.length; n += 1) names.add(sessionStorage.key(n) ?? "");
  } catch {
    // What could not be stored has no name there.
  }
  return [...names].filter((name) => name.startsWith(beginning));
}
