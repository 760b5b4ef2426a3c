// The one session of the page, set once at its start.

import type { SignInServer } from "./config.ts";
import { keepDrafts } from "./draft.svelte.ts";
import { here } from "./here.ts";
import type { Session } from "./session.svelte.ts";
import { beginSignIn } from "./sign-in.ts";

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

/** Leaves the page to sign in, and comes back to where it was, with what was typed. */
export async function signInByRedirect(): Promise<void> {
  const { session, signIn } = known();
  keepDrafts();
  location.assign(await beginSignIn(session.config, signIn, location.hash));
}

/** Forgets the person here and at the provider. The address holds no token. */
export function signOut(): void {
  const { session, signIn } = known();
  session.clear();
  if (!signIn.logout) {
    location.replace(here());
    return;
  }
  const url = new URL(signIn.logout);
  url.searchParams.set("client_id", session.config.client_id);
  url.searchParams.set(session.config.logout_url ? "logout_uri" : "post_logout_redirect_uri", here().href);
  location.assign(url);
}
