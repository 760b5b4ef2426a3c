// Signing in: what comes back is taken only if this tab asked for it, and it is meant for this page.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findSignIn, loadConfig, type SignInServer, StartProblem } from "../src/session/config.ts";
import { beginSignIn, finishSignIn, isAnswer, SignInProblem } from "../src/session/sign-in.ts";
import { forget } from "../src/session/tab-storage.ts";
import { answers, config, idToken, json, refuseStorage } from "./help/session.ts";

const KEY = "billhook.sign-in";
let signIn: SignInServer;

beforeEach(async () => {
  sessionStorage.clear();
  forget(KEY);
  history.replaceState(null, "", "/billhook/");
  signIn = await findSignIn(config);
});
afterEach(() => history.replaceState(null, "", "/billhook/"));

/** Begins, and comes back with these parameters; `state` is the right one unless it is given. */
async function comeBack(query: Record<string, string>, hash = "#/events?state=dead"): Promise<URL> {
  const left = await beginSignIn(config, signIn, hash);
  const state = left.searchParams.get("state") ?? "";
  history.replaceState(null, "", `/billhook/?${new URLSearchParams({ state, ...query })}`);
  return left;
}

const tokens = (claims: object) =>
  json({ token_type: "Bearer", access_token: "a", id_token: idToken(claims) });

async function refusal(): Promise<SignInProblem> {
  const problem = await finishSignIn(config, signIn).catch((cause: unknown) => cause);
  expect(problem).toBeInstanceOf(SignInProblem);
  return problem as SignInProblem;
}

test("it leaves for the provider with a challenge, a state and a nonce, and for this page", async () => {
  const left = await beginSignIn(config, signIn, "");
  expect(left.origin + left.pathname).toBe("https://issuer.example/oauth2/authorize");
  const query = Object.fromEntries(left.searchParams);
  expect(query).toMatchObject({
    client_id: "client-1",
    response_type: "code",
    redirect_uri: "http://localhost/billhook/",
    scope: "openid email",
    code_challenge_method: "S256",
  });
  for (const name of ["state", "nonce", "code_challenge"]) expect(query[name]).toMatch(/^[\w-]{43}$/);
  expect(left.href).not.toContain(JSON.parse(sessionStorage.getItem(KEY) ?? "{}").verifier);
});

test("a code becomes a token, the address is clean, and the person is where they were", async () => {
  const left = await comeBack({ code: "c-1" });
  const fetched = answers(tokens({ nonce: left.searchParams.get("nonce") }));
  expect(isAnswer(new URL(location.href))).toBe(true);
  const done = await finishSignIn(config, signIn);
  expect(done).toMatchObject({ hash: "#/events?state=dead", renewal: null });
  expect(done.token.split(".")).toHaveLength(3);
  expect(location.href).toBe("http://localhost/billhook/#/events?state=dead");
  expect(sessionStorage.getItem(KEY)).toBeNull();
  const body = new URLSearchParams(String(fetched.mock.calls[0]?.[1]?.body));
  expect(body.get("redirect_uri")).toBe("http://localhost/billhook/");
  expect(body.get("code_verifier")).toMatch(/^[\w-]{43}$/);
});

test("the address is clean before the code is exchanged", async () => {
  const left = await comeBack({ code: "c-1" });
  let seen = "";
  answers(() => {
    seen = location.href;
    return tokens({ nonce: left.searchParams.get("nonce") });
  });
  await finishSignIn(config, signIn);
  expect(seen).not.toContain("code");
});

describe("it is refused", () => {
  test("with a state that does not match", async () => {
    await comeBack({ code: "c-1", state: "of-somebody-else" });
    const fetched = answers(tokens({}));
    expect((await refusal()).kind).toBe("stale");
    expect(fetched).not.toHaveBeenCalled();
    expect(location.search).toBe("");
  });

  test("where this tab began nothing", async () => {
    history.replaceState(null, "", "/billhook/?code=c-1&state=s");
    expect((await refusal()).kind).toBe("stale");
    expect(location.search).toBe("");
  });

  test("with an ID token of another audience, issuer or nonce, or one that has ended", async () => {
    const wrong = [{ aud: "another" }, { iss: "https://other.example" }, { nonce: "another" }, { exp: 1 }];
    for (const claims of wrong) {
      const left = await comeBack({ code: "c-1" });
      answers(tokens({ nonce: left.searchParams.get("nonce"), ...claims }));
      expect((await refusal()).kind).toBe("invalid");
    }
  });

  test("without an ID token", async () => {
    await comeBack({ code: "c-1" });
    answers(json({ token_type: "Bearer", access_token: "a" }));
    expect((await refusal()).kind).toBe("invalid");
  });

  test("when the provider says no, in its own words", async () => {
    await comeBack({ error: "access_denied", error_description: "You said no" });
    expect(await refusal()).toMatchObject({ kind: "refused", message: "You said no" });
    expect(location.search).toBe("");
  });

  test("when the code does not count any more", async () => {
    await comeBack({ code: "old" });
    answers(json({ error: "invalid_grant" }, 400));
    expect((await refusal()).kind).toBe("invalid");
  });

  test("in a window for a renewal, and remembers which", async () => {
    const left = await beginSignIn(config, signIn, "", "renewal-1");
    const state = left.searchParams.get("state") ?? "";
    history.replaceState(null, "", `/billhook/?${new URLSearchParams({ state, error: "access_denied" })}`);
    expect(await refusal()).toMatchObject({ kind: "refused", renewal: "renewal-1" });
    refuseStorage();
    const begun = beginSignIn(config, signIn, "", "renewal-2");
    await expect(begun).rejects.toMatchObject({ kind: "no_storage", renewal: "renewal-2" });
  });

  test("when the provider does not answer", async () => {
    await comeBack({ code: "c-1" });
    answers(new TypeError("Failed to fetch"));
    expect((await refusal()).kind).toBe("no_answer");
  });

  test("where the browser stores nothing, before anybody leaves", async () => {
    refuseStorage();
    await expect(beginSignIn(config, signIn, "")).rejects.toMatchObject({ kind: "no_storage" });
  });
});

describe("the configuration", () => {
  test("is read beside the page", async () => {
    const fetched = answers(json(config));
    expect(await loadConfig()).toEqual(config);
    expect(String(fetched.mock.calls[0]?.[0])).toBe("http://localhost/billhook/config.json");
  });

  test("that is missing, or something else, is a problem of the start", async () => {
    for (const answer of [json({}, 404), json("<h1>proxy</h1>"), json({ ...config, mode: "other" })]) {
      answers(answer);
      await expect(loadConfig()).rejects.toBeInstanceOf(StartProblem);
    }
  });

  test("of an outside issuer is found where the issuer says", async () => {
    const issuer = "https://sso.example/realms/r";
    const fetched = answers(
      json({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        end_session_endpoint: `${issuer}/end`,
      }),
    );
    const found = await findSignIn({
      ...config,
      issuer,
      authorize_url: null,
      token_url: null,
      logout_url: null,
    });
    expect(String(fetched.mock.calls[0]?.[0])).toBe(`${issuer}/.well-known/openid-configuration`);
    expect(found.token.href).toBe(`${issuer}/token`);
    expect(found.logout?.href).toBe(`${issuer}/end`);
  });
});
