// What the page has to know before anything else: whose sign-in it is, and which side of Stripe it shows.
import * as oauth from "oauth4webapi";
import type { components } from "../api/types.gen.ts";
import { beside } from "./here.ts";

/** What `/config.json` says. */
export type Config = components["schemas"]["ConsoleConfig"];

/** The addresses of a sign-in. */
export interface SignInServer {
  authorize: URL;
  token: URL;
  logout: URL | null;
  /** The identity provider as the OAuth library wants it. */
  server: oauth.AuthorizationServer;
}

/** That the page cannot even begin. */
export class StartProblem extends Error {
  override name = "StartProblem";
}

const texts = ["stack_name", "issuer", "client_id", "groups_claim", "admin_group", "viewer_group"] as const;

/** Reads the configuration that is served beside the page. */
export async function loadConfig(): Promise<Config> {
  const response = await fetch(beside("config.json"), { credentials: "same-origin" });
  if (!response.ok) throw new StartProblem(`config.json was answered with ${response.status}`);
  const config = (await response.json().catch(() => null)) as Config | null;
  const whole = config && texts.every((name) => typeof config[name] === "string");
  if (!whole || (config.mode !== "test" && config.mode !== "live")) {
    throw new StartProblem("config.json is not what this page was built for");
  }
  return config;
}

/** Plain HTTP is for a stack on one's own machine; elsewhere the library refuses it. */
export function insecureOnLocalhost(url: URL): { [oauth.allowInsecureRequests]?: boolean } {
  const local =
    url.protocol === "http:" && /^(localhost|127\.0\.0\.1|\[::1\]|.*\.localhost)$/.test(url.hostname);
  return local ? { [oauth.allowInsecureRequests]: true } : {};
}

/** Where to sign in: as the configuration says, else as an outside issuer says of itself. */
export async function findSignIn(config: Config): Promise<SignInServer> {
  if (config.authorize_url && config.token_url) {
    const logout = config.logout_url ? new URL(config.logout_url) : null;
    return signInAt(
      {
        issuer: config.issuer,
        authorization_endpoint: config.authorize_url,
        token_endpoint: config.token_url,
      },
      logout,
    );
  }
  const issuer = new URL(config.issuer);
  const found = await oauth.discoveryRequest(issuer, insecureOnLocalhost(issuer));
  const server = await oauth.processDiscoveryResponse(issuer, found);
  return signInAt(server, server.end_session_endpoint ? new URL(server.end_session_endpoint) : null);
}

function signInAt(server: oauth.AuthorizationServer, logout: URL | null): SignInServer {
  if (!server.authorization_endpoint || !server.token_endpoint) {
    throw new StartProblem("the issuer names no address to sign in at");
  }
  return {
    authorize: new URL(server.authorization_endpoint),
    token: new URL(server.token_endpoint),
    logout,
    server,
  };
}
