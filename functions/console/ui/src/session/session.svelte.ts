// Who is signed in. The ID token is in memory and in this tab's storage, so that a reload does not ask for the
// password again; the storage ends with the tab, no script of others runs here, and no refresh token is kept.
import { type Claims, claimsOf, nameOf, type Role, roleOf } from "./claims.ts";
import type { Config } from "./config.ts";
import { forget, heldByTab, keep, recall } from "./tab-storage.ts";

const KEY = "billhook.id-token";
/** So long before its end a token counts as ended, so that no request is sent that would be refused. */
export const MARGIN_S = 30;
/** Timers over some 24 days run at once, so longer waits are cut into pieces. */
const LONGEST_TIMER_MS = 86_400_000;

/** Why a token was not taken. */
export type Refusal = "not_a_token" | "other_client" | "expired" | "other_person";

/** The session of this tab. */
export class Session {
  #token = $state<string | null>(null);
  #claims = $state<Claims | null>(null);
  #ended = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly config: Config) {}

  /** Takes up the token that this tab kept, if it still holds. */
  resume(): boolean {
    const token = recall(KEY);
    if (!token) return false;
    if (this.take(token) === null) return true;
    forget(KEY);
    return false;
  }

  /** Takes a token; says why where it does not. Nobody else may go on in a page that one person has filled. */
  take(token: string): Refusal | null {
    const claims = claimsOf(token);
    if (!claims) return "not_a_token";
    if (![claims.aud].flat().includes(this.config.client_id)) return "other_client";
    if (claims.exp - MARGIN_S <= Date.now() / 1000) return "expired";
    if (this.#claims && this.#claims.sub !== claims.sub) return "other_person";
    this.#token = token;
    this.#claims = claims;
    this.#ended = false;
    keep(KEY, token);
    this.#endInTime();
    return null;
  }

  /** What a request carries; null when there is none, or it has ended. */
  get token(): string | null {
    return this.#ended ? null : this.#token;
  }

  get signedIn(): boolean {
    return this.#token !== null;
  }

  /** Whether the person has to sign in again to go on; what they see stays. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whom the token is of, as the provider knows them; empty where nobody is signed in. */
  get subject(): string {
    return this.#claims?.sub ?? "";
  }

  /** Whether what this page remembers is still the tab's session: it may have been signed out of since. */
  get current(): boolean {
    return this.#token !== null && heldByTab(KEY) === this.#token;
  }

  get name(): string {
    return this.#claims ? nameOf(this.#claims) : "";
  }

  get role(): Role {
    return this.#claims ? roleOf(this.#claims, this.config) : "none";
  }

  get isAdmin(): boolean {
    return this.role === "admin";
  }

  /** The token does not hold any more: its time is over, or the API said so. */
  end(): void {
    if (!this.#token) return;
    clearTimeout(this.#timer);
    forget(KEY);
    this.#ended = true;
  }

  /** Forgets the person. */
  clear(): void {
    clearTimeout(this.#timer);
    forget(KEY);
    this.#token = null;
    this.#claims = null;
    this.#ended = false;
  }

  #endInTime(): void {
    clearTimeout(this.#timer);
    const left = ((this.#claims?.exp ?? 0) - MARGIN_S) * 1000 - Date.now();
    if (left <= 0) this.end();
    else this.#timer = setTimeout(() => this.#endInTime(), Math.min(left, LONGEST_TIMER_MS));
  }
}
