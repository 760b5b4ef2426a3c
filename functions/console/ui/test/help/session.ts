// A sign-in for tests: a configuration, tokens, and a token endpoint that answers as it is told.
import { vi } from "vitest";
import { type Config, findSignIn, type SignInServer } from "../../src/session/config.ts";
import { setSession } from "../../src/session/current.ts";
import { Session } from "../../src/session/session.svelte.ts";

export const config: Config = {
  mode: "test",
  stack_name: "billhook-test",
  issuer: "https://issuer.example/pool",
  client_id: "client-1",
  authorize_url: "https://issuer.example/oauth2/authorize",
  token_url: "https://issuer.example/oauth2/token",
  logout_url: "https://issuer.example/logout",
  groups_claim: "cognito:groups",
  admin_group: "billing admin",
  viewer_group: "viewer",
};

const part = (value: object) =>
  btoa(JSON.stringify(value)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** An ID token with these claims, in place of usual ones. */
export function idToken(claims: object = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const usual = {
    iss: config.issuer,
    aud: config.client_id,
    sub: "sub-1",
    email: "anna@example.com",
    iat: now,
    exp: now + 3600,
  };
  return `${part({ alg: "RS256" })}.${part({ ...usual, "cognito:groups": ["billing admin"], ...claims })}.c2ln`;
}

/** Stubs `fetch`; each call takes the next answer, the last one for all others. */
export function answers(
  ...all: (Response | Error | ((url: string, init?: RequestInit) => Response | Promise<Response>))[]
) {
  const fetched = vi.fn(async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const next = all.length > 1 ? all.shift() : all[0];
    if (next instanceof Error) throw next;
    if (typeof next === "function") return next(String(input), init);
    return (next as Response).clone();
  });
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Response(text, { status, headers: { "Content-Type": "application/json", ...headers } });
}

/** Somebody signed in, as an admin if nothing else is said. */
export async function signedIn(claims: object = {}): Promise<{ session: Session; signIn: SignInServer }> {
  const session = new Session(config);
  const signIn = await findSignIn(config);
  setSession(session, signIn);
  session.take(idToken(claims));
  return { session, signIn };
}

/** A browser that lets the page store nothing. */
export function refuseStorage(): void {
  const refuse = () => {
    throw new DOMException("denied", "SecurityError");
  };
  vi.stubGlobal("sessionStorage", { getItem: refuse, setItem: refuse, removeItem: refuse });
}
