// Signing in: authorization code with PKCE, state and nonce. What has to outlive the redirect is in the tab's
// storage for that long: verifier, state, nonce, and where the person was.
import * as oauth from "oauth4webapi";
import { type Config, insecureOnLocalhost, type SignInServer } from "./config.ts";
import { here } from "./here.ts";
import { forget, keep, recall } from "./tab-storage.ts";

const KEY = "billhook.sign-in";

interface Begun {
  state: string;
  nonce: string;
  verifier: string;
  /** Where the person was, to go back to. */
  hash: string;
  /** The window that waits for the token, if this one was opened for it alone. */
  renewal: string | null;
}

/** Why a sign-in came to nothing. */
export class SignInProblem extends Error {
  override name = "SignInProblem";
  /** `refused`: the provider said no; `stale`: the answer is to no question of this tab; `invalid`: the rest. */
  constructor(
    readonly kind: "refused" | "stale" | "invalid" | "no_answer" | "no_storage",
    message: string,
    options?: ErrorOptions,
    /** The window that still waits for a token, to be kept when it is tried again. */
    readonly renewal: string | null = null,
  ) {
    super(message, options);
  }
}

/** What a sign-in brought. */
export interface SignedIn {
  token: string;
  hash: string;
  renewal: string | null;
}

/** The address to go to, with all that has to come back kept in this tab. */
export async function beginSignIn(
  config: Config,
  signIn: SignInServer,
  hash: string,
  renewal: string | null = null,
): Promise<URL> {
  const begun: Begun = {
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    verifier: oauth.generateRandomCodeVerifier(),
    hash,
    renewal,
  };
  if (!keep(KEY, JSON.stringify(begun))) {
    const message = "the browser lets this page store nothing, so nobody can sign in";
    throw new SignInProblem("no_storage", message, undefined, renewal);
  }
  const url = new URL(signIn.authorize);
  url.search = new URLSearchParams({
    client_id: config.client_id,
    response_type: "code",
    redirect_uri: here().href,
    scope: "openid email",
    state: begun.state,
    nonce: begun.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(begun.verifier),
    code_challenge_method: "S256",
  }).toString();
  return url;
}

/** Whether the page was opened by the answer of a sign-in. */
export function isAnswer(url: URL): boolean {
  return url.searchParams.has("code") || url.searchParams.has("error");
}

/**
 * Takes the answer that stands in the page's address. The address is cleaned first, so that a code stays neither
 * in the history nor in what is reported.
 */
export async function finishSignIn(config: Config, signIn: SignInServer): Promise<SignedIn> {
  const answer = new URL(location.href);
  const begun = recallBegun();
  history.replaceState(null, "", here().pathname + (begun?.hash ?? ""));
  forget(KEY);
  const error = answer.searchParams.get("error");
  if (!begun) throw new SignInProblem("stale", "this answer is to no sign-in that this tab began");

  const client: oauth.Client = { client_id: config.client_id };
  try {
    const params = oauth.validateAuthResponse(signIn.server, client, answer, begun.state);
    const response = await oauth.authorizationCodeGrantRequest(
      signIn.server,
      client,
      oauth.None(),
      params,
      here().href,
      begun.verifier,
      { ...insecureOnLocalhost(signIn.token), signal: AbortSignal.timeout(20_000) },
    );
    const tokens = await oauth.processAuthorizationCodeResponse(signIn.server, client, response, {
      expectedNonce: begun.nonce,
      requireIdToken: true,
    });
    return { token: tokens.id_token ?? "", hash: begun.hash, renewal: begun.renewal };
  } catch (cause) {
    throw problemOf(cause, error, answer, begun.renewal);
  }
}

function recallBegun(): Begun | null {
  try {
    return JSON.parse(recall(KEY) ?? "null") as Begun | null;
  } catch {
    return null;
  }
}

function problemOf(cause: unknown, error: string | null, answer: URL, renewal: string | null): SignInProblem {
  const problem = (kind: SignInProblem["kind"], message: string) =>
    new SignInProblem(kind, message, { cause }, renewal);
  if (cause instanceof oauth.AuthorizationResponseError && error) {
    return problem("refused", answer.searchParams.get("error_description") ?? error);
  }
  const code = cause instanceof oauth.OperationProcessingError ? cause.code : undefined;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/"state"/.test(message)) return problem("stale", message);
  if (!code && !(cause instanceof oauth.ResponseBodyError)) return problem("no_answer", message);
  return problem("invalid", message);
}
