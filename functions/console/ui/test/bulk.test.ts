// Replaying and closing by cause: counted first, changed step by step, stopped when asked, and never a thing that
// was not asked for.
import { screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";
import { BulkRun } from "../src/parts/bulk-run.svelte.ts";
import Causes from "../src/parts/causes.svelte";
import { api } from "./help/api.ts";
import { event, outcome } from "./help/samples.ts";
import { json, signedIn } from "./help/session.ts";
import { show } from "./help/show.ts";

const REASON = "the key may not do this: charges";
const CODE = "the key may not do this";
const dead = (n: number) => event(n, { state: "dead", reason: REASON });
const list = () => ({ data: [dead(1), dead(2)], next_cursor: null });

beforeEach(async () => {
  await signedIn();
});

describe("a replay of all", () => {
  test("counts before it changes, asks, and says what came of it", async () => {
    const user = userEvent.setup();
    const asked = api({
      "GET events": list,
      "POST events/replay": ({ body }) =>
        body.dry_run
          ? outcome({ matching: 240, dry_run: true })
          : body.cursor
            ? outcome({ matching: 140, changed: 139, failed: 1 })
            : outcome({ matching: 100, changed: 98, overtaken: 2, next_cursor: "next" }),
    });
    show(Causes, { state: "dead" });
    await user.click(await screen.findByRole("button", { name: /^Replay all of/ }));
    const dialog = within(await screen.findByRole("dialog"));
    const go = await dialog.findByRole("button", { name: "Replay 240 events" });
    expect(asked.filter(({ method, body }) => method === "POST" && !body.dry_run)).toHaveLength(0);
    await user.type(dialog.getByLabelText(/^Why/), "it may now");
    await user.click(go);
    await dialog.findByText("Done");
    const sent = asked
      .filter(({ method, body }) => method === "POST" && !body.dry_run)
      .map(({ body }) => body);
    expect(sent).toEqual([
      { state: "dead", reason: CODE, limit: 100, why: "it may now" },
      { state: "dead", reason: CODE, limit: 100, why: "it may now", cursor: "next" },
    ]);
    expect(dialog.getByText("Replayed").nextElementSibling?.textContent).toBe("237");
    expect(dialog.getByText(/Changed at the same moment/).nextElementSibling?.textContent).toBe("2");
    expect(dialog.getByText(/Could not be changed/).nextElementSibling?.textContent).toBe("1");
  });

  test("that is cancelled changes nothing", async () => {
    const user = userEvent.setup();
    const asked = api({
      "GET events": list,
      "POST events/replay": () => outcome({ matching: 2, dry_run: true }),
    });
    show(Causes, { state: "dead" });
    await user.click(await screen.findByRole("button", { name: /^Replay all of/ }));
    await user.click(await screen.findByRole("button", { name: "Cancel" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(asked.filter(({ method, body }) => method === "POST" && !body.dry_run)).toHaveLength(0);
  });

  test("holds people on the page while it runs, and lets them stop it", async () => {
    const user = userEvent.setup();
    let answer = () => {};
    api({
      "GET events": list,
      "POST events/replay": ({ body }) =>
        body.dry_run
          ? outcome({ matching: 300, dry_run: true })
          : new Promise((done) => {
              answer = () => done(outcome({ matching: 100, changed: 100, next_cursor: "next" }));
            }),
    });
    show(Causes, { state: "dead" });
    await user.click(await screen.findByRole("button", { name: /^Replay all of/ }));
    await user.click(await screen.findByRole("button", { name: "Replay 300 events" }));
    const closing = new Event("beforeunload", { cancelable: true });
    window.dispatchEvent(closing);
    expect(closing.defaultPrevented).toBe(true);
    const here = location.href;
    history.pushState(null, "", "#/elsewhere");
    window.dispatchEvent(new Event("popstate"));
    expect(location.href).toBe(here);
    expect((await screen.findByRole("alert")).textContent).toContain("Stop it before you leave");
    await user.keyboard("{Escape}");
    expect(screen.getByRole("dialog")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Stop" }));
    answer();
    expect(await screen.findByText("Stopped before the end")).toBeTruthy();
    expect(screen.getByRole("progressbar").getAttribute("value")).toBe("100");
    const after = new Event("beforeunload", { cancelable: true });
    window.dispatchEvent(after);
    expect(after.defaultPrevented).toBe(false);
  });

  test("is for admins: a viewer sees causes and no button", async () => {
    await signedIn({ "cognito:groups": ["viewer"] });
    api({ "GET events": list });
    show(Causes, { state: "dead" });
    expect(await screen.findByText("2 events")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Replay|Close/ })).toBeNull();
  });
});

test("to close all needs a reason", async () => {
  const user = userEvent.setup();
  const asked = api({
    "GET events": list,
    "POST events/replay": () => outcome({ matching: 2, dry_run: true }),
    "POST events/discard": () => outcome({ matching: 2, changed: 2 }),
  });
  show(Causes, { state: "dead" });
  await user.click(await screen.findByRole("button", { name: /^Close all of/ }));
  await user.click(await screen.findByRole("button", { name: "Close 2 events" }));
  expect(await screen.findByText("Say why.")).toBeTruthy();
  expect(asked.some(({ path }) => path === "events/discard")).toBe(false);
  await user.type(screen.getByLabelText(/^Why/), "not ours");
  await user.click(screen.getByRole("button", { name: "Close 2 events" }));
  await screen.findByText("Done");
  expect(asked.find(({ path }) => path === "events/discard")?.body).toMatchObject({
    why: "not ours",
    reason: CODE,
  });
});

test("a cause whose reason is not known has no button: no filter names it alone", async () => {
  api({ "GET events": () => ({ data: [event(1, { state: "dead", reason: null })], next_cursor: null }) });
  show(Causes, { state: "dead" });
  expect(await screen.findByText("1 event")).toBeTruthy();
  expect(screen.queryByRole("button", { name: /Replay|Close/ })).toBeNull();
});

describe("a run", () => {
  test("that fails keeps what is done, and goes on when told to", async () => {
    let fails = true;
    api({
      "POST events/replay": ({ body }) => {
        if (!body.cursor) return outcome({ matching: 100, changed: 100, next_cursor: fails ? "next" : null });
        return json({ error: { code: "temporarily_unavailable", message: "no", request_id: "r" } }, 503);
      },
    });
    const run = new BulkRun("replay", "dead", "a");
    await run.run("");
    expect([run.phase, run.sums.changed]).toEqual(["halted", 100]);
    fails = false;
    await run.run("");
    expect([run.phase, run.sums.changed, run.problem]).toEqual(["done", 200, null]);
  });

  test("is not sent again by itself when it fails", async () => {
    const asked = api({ "POST events/replay": () => json({ message: "slow down" }, 429) });
    const run = new BulkRun("replay", "dead", "a");
    await run.run("");
    expect(run.phase).toBe("halted");
    expect(asked).toHaveLength(1);
  });

  test("asks for what its cause begins with, and for all where it has none", async () => {
    for (const [reason, filter] of [
      ["a", { state: "dead", reason: "a" }],
      ["", { state: "dead" }],
    ] as const) {
      const asked = api({
        "POST events/replay": ({ body }) => outcome({ matching: 3, changed: body.dry_run ? 0 : 3 }),
      });
      const run = new BulkRun("replay", "dead", reason);
      await run.count();
      expect([run.phase, run.total]).toEqual(["ready", 3]);
      await run.run("");
      expect([run.phase, run.sums.changed]).toEqual(["done", 3]);
      expect(asked.map(({ body }) => body)).toEqual([
        { ...filter, dry_run: true },
        { ...filter, limit: 100 },
      ]);
    }
  });
});
