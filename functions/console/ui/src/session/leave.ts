// Leaving the page to sign in or out, and coming back to it.
import { session, signInServer } from "./current.ts";
import { dropDrafts, keepDrafts } from "./draft.svelte.ts";
import { here } from "./here.ts";
import { beginSignIn } from "./sign-in.ts";

const forgetting = new Set<() => void>();

/** Has something forgotten when the person signs out; until the returned function is called. */
export function atSignOut(forget: () => void): () => void {
  forgetting.add(forget);
  return () => forgetting.delete(forget);
}

/** Leaves the page to sign in, and comes back to where it was, with what was typed; or for the window that waits. */
export async function signInByRedirect(renewal: string | null = null): Promise<void> {
  keepDrafts();
  location.assign(await beginSignIn(session().config, signInServer(), location.hash, renewal));
}

/** Forgets the person, what was read and what was typed, here and at the provider. The address holds no token. */
export function signOut(): void {
  const { logout } = signInServer();
  const { client_id, logout_url } = session().config;
  session().clear();
  dropDrafts();
  for (const forget of forgetting) forget();
  if (!logout) {
    location.replace(here());
    return;
  }
  const url = new URL(logout);
  url.searchParams.set("client_id", client_id);
  url.searchParams.set(logout_url ? "logout_uri" : "post_logout_redirect_uri", here().href);
  location.assign(url);
}

/**
 * A page that "Back" brings out of the browser's memory shows what it showed. If that session is not the tab's any
 * more, it begins anew.
 */
export function beginAnewWhenOver(event: PageTransitionEvent): void {
  if (event.persisted && !session().current) location.reload();
}
