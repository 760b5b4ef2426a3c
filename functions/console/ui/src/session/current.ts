// The one session of the page, set once at its start.
import type { SignInServer } from "./config.ts";
import type { Session } from "./session.svelte.ts";

let current: { session: Session; signIn: SignInServer } | undefined;

/** Sets the session; for the start of the page and for tests. */
export function setSession(session: Session, signIn: SignInServer): void {
  current = { session, signIn };
}

function known(): { session: Session; signIn: SignInServer } {
  if (!current) throw new Error("the session is used before the page has begun");
  return current;
}

/** The session. */
export function session(): Session {
  return known().session;
}

/** Where to sign in and out. */
export function signInServer(): SignInServer {
  return known().signIn;
}
