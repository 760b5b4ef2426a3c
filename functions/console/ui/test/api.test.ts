// Requests: how each answer looks, what is asked again, and what is not.
import { QueryObserver } from "@tanstack/svelte-query";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { call, send } from "../src/api/call.ts";
import { Problem } from "../src/api/problem.ts";
import { countEvents, replayEvents } from "../src/api/queries/events.ts";
import { askAgain, makeQueryClient, waitFor } from "../src/api/query-client.ts";
import { lateRequests } from "../src/api/waiting.svelte.ts";
import type { Session } from "../src/session/session.svelte.ts";
import { answers, idToken, json, signedIn } from "./help/session.ts";

let session: Session;
beforeEach(async () => {
  vi.useRealTimers();
  sessionStorage.clear();
  ({ session } = await signedIn());
});

async function problem(answer: Response | Error): Promise<Problem> {
  answers(answer);
  const caught = await call("get", "/status").catch((cause: unknown) => cause);
  expect(caught).toBeInstanceOf(Problem);
  return caught as Problem;
}
const refused = (code: string, more: object = {}) => ({
  error: { code, message: "it is so", request_id: "req-1", ...more },
});

describe("a request", () => {
  test("goes beside the page with the token, and with nothing else of the person", async () => {
    const fetched = answers(json({ status: "active" }));
    await call("get", "/events/{id}", { path: { id: "evt_a/b?c" } });
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(String(url)).toBe("http://localhost/billhook/events/evt_a%2Fb%3Fc");
    expect(init).toMatchObject({ method: "GET", credentials: "omit", cache: "no-store", redirect: "error" });
    expect(init?.headers).toEqual({ Authorization: `Bearer ${session.token}` });
  });

  test("leaves out filters that are not set, and keeps amounts whole", async () => {
    const fetched = answers(json('{"amount":9007199254740993}'));
    const answer = await send("get", "records/payments", { query: { status: "", customer: null, limit: 5 } });
    expect(String(fetched.mock.calls[0]?.[0])).toBe("http://localhost/billhook/records/payments?limit=5");
    expect(answer).toEqual({ amount: 9007199254740993n });
  });

  test("that answers nothing is done", async () => {
    answers(new Response(null, { status: 204 }));
    expect(
      await call("delete", "/endpoints/{name}", { path: { name: "main" }, query: { confirm: "main" } }),
    ).toBeUndefined();
  });

  test("that is late is said to be, and not any more when it ends", async () => {
    vi.useFakeTimers();
    let end = (_: Response) => {};
    answers(
      () =>
        new Promise<Response>((resolve) => {
          end = resolve;
        }),
    );
    const asked = call("get", "/status");
    await vi.advanceTimersByTimeAsync(2_900);
    expect(lateRequests()).toBe(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(lateRequests()).toBe(1);
    end(json({}));
    await asked;
    expect(lateRequests()).toBe(0);
  });
});

describe("each refusal looks like what it is", () => {
  test.each([
    [400, "parameter_invalid", "invalid"],
    [401, "unauthenticated", "unauthenticated"],
    [403, "forbidden", "forbidden"],
    [404, "not_found", "not_found"],
    [409, "endpoint_exists", "conflict"],
    [413, "payload_too_large", "too_large"],
    [502, "stripe_error", "stripe"],
    [503, "temporarily_unavailable", "unavailable"],
  ])("%i %s is %s", async (status, code, kind) => {
    const found = await problem(json(refused(code, { field: "name", remedy: "do so" }), status));
    expect(found).toMatchObject({
      kind,
      status,
      code,
      message: "it is so",
      field: "name",
      remedy: "do so",
      requestId: "req-1",
    });
  });

  test.each([
    [401, "unauthenticated"],
    [404, "not_found"],
    [413, "too_large"],
    [429, "throttled"],
    [500, "failed"],
    [503, "unavailable"],
  ])("%i of API Gateway itself is %s", async (status, kind) => {
    expect((await problem(json({ message: "x" }, status))).kind).toBe(kind);
  });

  test("no connection", async () => {
    expect((await problem(new TypeError("Failed to fetch"))).kind).toBe("network");
  });

  test("an answer that is no JSON, with whatever status", async () => {
    expect((await problem(json("<h1>Log in to the Wi-Fi</h1>"))).kind).toBe("not_understood");
    expect((await problem(json("<h1>blocked</h1>", 403))).kind).toBe("not_understood");
    expect((await problem(json("<h1>Bad gateway</h1>", 502))).kind).toBe("unavailable");
  });

  test("no answer in the time that one can take", async () => {
    vi.useFakeTimers();
    vi.spyOn(AbortSignal, "timeout").mockReturnValue(
      AbortSignal.abort(new DOMException("late", "TimeoutError")),
    );
    expect((await problem(new DOMException("late", "TimeoutError"))).kind).toBe("slow");
  });
});

describe("the end of the session", () => {
  test("is known by a 401, and then nothing more is sent", async () => {
    const fetched = answers(json({ message: "Unauthorized" }, 401));
    await expect(call("get", "/status")).rejects.toMatchObject({ kind: "unauthenticated" });
    expect(session.ended).toBe(true);
    await expect(call("get", "/status")).rejects.toMatchObject({ kind: "unauthenticated" });
    expect(fetched).toHaveBeenCalledOnce();
  });

  test("is not taken from an answer to an older token", async () => {
    const newer = idToken({ exp: Math.floor(Date.now() / 1000) + 7200 });
    answers(() => {
      session.take(newer);
      return json({ message: "Unauthorized" }, 401);
    });
    await expect(call("get", "/status")).rejects.toBeInstanceOf(Problem);
    expect(session.ended).toBe(false);
  });
});

describe("asking again", () => {
  test("is for what passes, and has an end", () => {
    expect(askAgain(0, new Problem("throttled", ""))).toBe(true);
    expect(askAgain(3, new Problem("network", ""))).toBe(true);
    expect(askAgain(4, new Problem("network", ""))).toBe(false);
    for (const kind of [
      "forbidden",
      "not_found",
      "conflict",
      "unauthenticated",
      "not_understood",
      "stripe",
    ] as const) {
      expect(askAgain(0, new Problem(kind, ""))).toBe(false);
    }
  });

  test("waits longer each time, or as long as the answer says", () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    expect([0, 1, 2, 9].map((n) => waitFor(n, new Problem("network", "")))).toEqual([
      1000, 2000, 4000, 30_000,
    ]);
    expect(waitFor(0, new Problem("throttled", "", { retryAfter: 7 }))).toBe(7000);
  });

  test("is done for a question, and what it brought stays when a later one fails", async () => {
    vi.useFakeTimers();
    const client = makeQueryClient();
    answers(json({ message: null }, 503), json({ n: 1 }), json({ message: "x" }, 403));
    const query = new QueryObserver(client, { queryKey: ["q"], queryFn: () => send("get", "status", {}) });
    const stop = query.subscribe(() => {});
    await vi.advanceTimersByTimeAsync(2_000);
    expect(query.getCurrentResult().data).toEqual({ n: 1 });
    await query.refetch();
    expect(query.getCurrentResult()).toMatchObject({ data: { n: 1 }, error: { kind: "forbidden" } });
    stop();
  });

  test("is never done for what changes something", () => {
    expect(makeQueryClient().getDefaultOptions().mutations?.retry).toBe(false);
  });
});

describe("many events", () => {
  const step = (matching: number, next_cursor: string | null) =>
    json({ matching, changed: matching, overtaken: 0, failed: 1, dry_run: false, next_cursor });

  test("are replayed step by step, with the sums so far", async () => {
    const fetched = answers(step(1000, "c1"), step(500, null));
    const progress = vi.fn();
    const sum = await replayEvents({ state: "dead" }, progress);
    expect(sum).toMatchObject({ matching: 1500, changed: 1500, failed: 2 });
    expect(progress).toHaveBeenCalledTimes(2);
    expect(fetched.mock.calls.map(([, init]) => JSON.parse(String(init?.body)))).toEqual([
      { state: "dead" },
      { state: "dead", cursor: "c1" },
    ]);
  });

  test("are left alone between two steps when somebody says stop", async () => {
    const stop = new AbortController();
    const fetched = answers(step(1000, "c1"));
    await replayEvents({ state: "dead" }, () => stop.abort(), stop.signal);
    expect(fetched).toHaveBeenCalledOnce();
  });

  test("are only counted where they are to be counted", async () => {
    const fetched = answers(step(12, null));
    expect((await countEvents({ state: "dead", reason: "x" })).matching).toBe(12);
    expect(JSON.parse(String(fetched.mock.calls[0]?.[1]?.body))).toMatchObject({
      dry_run: true,
      reason: "x",
    });
  });
});
