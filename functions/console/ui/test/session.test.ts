// The session: who it is, what they may do, when it ends; and that no token lasts.
import { beforeEach, describe, expect, test, vi } from "vitest";
import { groupsIn, roleOf } from "../src/session/claims.ts";
import { Draft, dropDrafts, keepDrafts } from "../src/session/draft.svelte.ts";
import { atSignOut, beginAnewWhenOver, signInByRedirect, signOut } from "../src/session/leave.ts";
import { handOver, openRenewal, renewalOf } from "../src/session/renew.ts";
import { Session } from "../src/session/session.svelte.ts";
import { forget, recall } from "../src/session/tab-storage.ts";
import { config, idToken, refuseStorage, signedIn } from "./help/session.ts";

const KEY = "billhook.id-token";

beforeEach(() => {
  vi.useRealTimers();
  sessionStorage.clear();
  forget(KEY);
});

describe("roles", () => {
  test("groups come as a list, or as a text with spaces or commas", () => {
    expect(groupsIn(["billing admin", "x"])).toEqual(["billing admin", "x"]);
    expect(groupsIn("admin viewer")).toEqual(["admin", "viewer"]);
    expect(groupsIn("[admin, viewer]")).toEqual(["admin", "viewer"]);
    expect(groupsIn(undefined)).toEqual([]);
    expect(groupsIn([1, null])).toEqual([]);
  });

  test("an admin, a viewer, and somebody in neither group", () => {
    const claims = (groups: unknown) => ({ sub: "s", aud: "a", iss: "i", exp: 1, "cognito:groups": groups });
    expect(roleOf(claims(["viewer", "billing admin"]), config)).toBe("admin");
    expect(roleOf(claims(["viewer"]), config)).toBe("viewer");
    expect(roleOf(claims(["billing", "admin"]), config)).toBe("none");
    expect(roleOf(claims(undefined), config)).toBe("none");
  });
});

describe("a token", () => {
  test("is kept for this tab alone, and taken up after a reload", async () => {
    const { session } = await signedIn();
    expect(session).toMatchObject({ signedIn: true, name: "anna@example.com", role: "admin" });
    expect(sessionStorage.getItem(KEY)).toBe(session.token);
    expect(localStorage.length).toBe(0);
    expect(document.cookie).toBe("");
    const reloaded = new Session(config);
    expect(reloaded.resume()).toBe(true);
    expect(reloaded.name).toBe("anna@example.com");
  });

  test("that ended while it was stored is not taken up, and forgotten", () => {
    sessionStorage.setItem(KEY, idToken({ exp: Math.floor(Date.now() / 1000) - 1 }));
    expect(new Session(config).resume()).toBe(false);
    expect(recall(KEY)).toBeNull();
  });

  test("of another client, or that is none, is not taken", () => {
    const session = new Session(config);
    expect(session.take(idToken({ aud: "another" }))).toBe("other_client");
    expect(session.take("nonsense")).toBe("not_a_token");
    expect(session.token).toBeNull();
  });

  test("holds where the browser refuses to store it, until the page is left", () => {
    refuseStorage();
    const session = new Session(config);
    expect(session.take(idToken())).toBeNull();
    expect(session.token).not.toBeNull();
  });
});

describe("the end of a session", () => {
  test("comes shortly before the token's; what is seen stays, requests carry nothing", async () => {
    vi.useFakeTimers();
    const { session } = await signedIn({ exp: Math.floor(Date.now() / 1000) + 600 });
    vi.advanceTimersByTime(569_000);
    expect(session.ended).toBe(false);
    vi.advanceTimersByTime(2_000);
    expect(session).toMatchObject({ ended: true, signedIn: true, token: null, name: "anna@example.com" });
    expect(sessionStorage.getItem(KEY)).toBeNull();
  });

  test("of many days does not come at once, though timers are short", async () => {
    vi.useFakeTimers();
    const { session } = await signedIn({ exp: Math.floor(Date.now() / 1000) + 60 * 86_400 });
    vi.advanceTimersByTime(86_400_000);
    expect(session.ended).toBe(false);
  });

  test("is over when the same person signs in again, and not when another does", async () => {
    const { session } = await signedIn();
    session.end();
    expect(session.take(idToken({ sub: "sub-2" }))).toBe("other_person");
    expect(session.ended).toBe(true);
    expect(session.take(idToken({ exp: Math.floor(Date.now() / 1000) + 7200 }))).toBeNull();
    expect(session.ended).toBe(false);
  });

  test("another window hands its token over by a channel that only the two know", async () => {
    const opened = vi.fn((..._args: unknown[]) => ({}) as Window);
    vi.stubGlobal("open", opened);
    const close = vi.spyOn(window, "close").mockImplementation(() => {});
    const taken = vi.fn();
    const renewal = openRenewal(taken);
    const id = renewalOf(new URL(String(opened.mock.calls[0]?.[0])).hash);
    expect(id).toMatch(/^[\da-f-]{36}$/);
    handOver("of-nobody", "wrong");
    handOver(id ?? "", "token");
    await vi.waitFor(() => expect(taken).toHaveBeenCalledWith("token"));
    expect(taken).toHaveBeenCalledOnce();
    expect(close).toHaveBeenCalled();
    renewal?.close();
  });

  test("a window that the browser blocks is told at once", () => {
    vi.stubGlobal("open", () => null);
    expect(openRenewal(() => {})).toBeNull();
  });
});

test("what is typed outlives a sign-in that leaves the page, once", async () => {
  await signedIn();
  const draft = new Draft("register", { name: "", description: "" });
  const stop = draft.attend();
  draft.value.name = "disputes";
  keepDrafts();
  stop();
  expect(new Draft("register", { name: "", description: "" }).value).toEqual({
    name: "disputes",
    description: "",
  });
  expect(new Draft("register", { name: "", description: "" }).value.name).toBe("");
});

describe("what is typed", () => {
  const type = () => {
    const draft = new Draft("register", { name: "" });
    const stop = draft.attend();
    draft.value.name = "disputes";
    keepDrafts();
    stop();
  };

  test("is for whoever typed it: nobody else gets it, or leaves it in the tab", async () => {
    await signedIn();
    type();
    await signedIn({ sub: "sub-2" });
    expect(new Draft("register", { name: "" }).value.name).toBe("");
    await signedIn();
    type();
    dropDrafts("sub-1");
    expect(JSON.stringify({ ...sessionStorage })).toContain("disputes");
    dropDrafts("sub-2");
    expect(JSON.stringify({ ...sessionStorage })).not.toContain("disputes");
  });

  test("is forgotten at sign-out", async () => {
    vi.spyOn(location, "assign").mockImplementation(() => {});
    await signedIn();
    type();
    signOut();
    expect(JSON.stringify({ ...sessionStorage })).not.toContain("disputes");
    await signedIn();
    expect(new Draft("register", { name: "" }).value.name).toBe("");
  });
});

describe("a page that comes back out of the browser's memory", () => {
  const back = (persisted: boolean) => Object.assign(new Event("pageshow"), { persisted });

  test("begins anew when the tab was signed out of since, and stays as it is otherwise", async () => {
    const anew = vi.spyOn(location, "reload").mockImplementation(() => {});
    vi.spyOn(location, "assign").mockImplementation(() => {});
    const { session } = await signedIn();
    beginAnewWhenOver(back(true) as PageTransitionEvent);
    expect(anew).not.toHaveBeenCalled();
    // Another page of the same tab has signed out: this one still remembers the token.
    sessionStorage.removeItem(KEY);
    expect(session.signedIn).toBe(true);
    beginAnewWhenOver(back(false) as PageTransitionEvent);
    expect(anew).not.toHaveBeenCalled();
    beginAnewWhenOver(back(true) as PageTransitionEvent);
    expect(anew).toHaveBeenCalledOnce();
    signOut();
    beginAnewWhenOver(back(true) as PageTransitionEvent);
    expect(anew).toHaveBeenCalledTimes(2);
  });
});

test("a window that was opened to sign in again still is for that when it is tried anew", async () => {
  const left = vi.spyOn(location, "assign").mockImplementation(() => {});
  await signedIn();
  await signInByRedirect("renewal-1");
  expect(left).toHaveBeenCalledOnce();
  expect(JSON.parse(recall("billhook.sign-in") ?? "{}").renewal).toBe("renewal-1");
});

test("signing out forgets the person, and tells the provider nothing of the token", async () => {
  const { session } = await signedIn();
  const left = vi.spyOn(location, "assign").mockImplementation(() => {});
  const forget = vi.fn();
  const stop = atSignOut(forget);
  signOut();
  stop();
  expect(forget).toHaveBeenCalledOnce();
  expect(session.signedIn).toBe(false);
  expect(sessionStorage.getItem(KEY)).toBeNull();
  expect(String(left.mock.calls[0]?.[0])).toBe(
    "https://issuer.example/logout?client_id=client-1&logout_uri=http%3A%2F%2Flocalhost%2Fbillhook%2F",
  );
});
