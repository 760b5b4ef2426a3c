// The pages of events: what is asked for, that reading is not disturbed, and who may do what.
import { screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, describe, expect, test, vi } from "vitest";
import EventPage from "../src/pages/events/event.svelte";
import Events from "../src/pages/events/events.svelte";
import { api } from "./help/api.ts";
import { event, record, wholeEvent } from "./help/samples.ts";
import { json, signedIn } from "./help/session.ts";
import { show } from "./help/show.ts";

beforeEach(async () => {
  await signedIn();
});

/** Goes to an address, as a link does. */
function go(hash: string) {
  location.hash = hash;
  window.dispatchEvent(new Event("hashchange"));
}

const lists = (asked: ReturnType<typeof api>) => asked.filter(({ path }) => path === "events");

describe("the list", () => {
  const page = (from: number, to: number, next_cursor: string | null = null) => ({
    data: Array.from({ length: to - from }, (_, n) => event(from + n)),
    next_cursor,
  });

  test("opens at the last 24 hours, and says how many are loaded and whether there are more", async () => {
    go("#/events");
    const asked = api({ "GET events": ({ query }) => page(0, query.cursor ? 1 : 40, "more") });
    show(Events);
    expect(await screen.findByText(/^\d+ events, and more$/)).toBeTruthy();
    const since = Date.parse(lists(asked)[0]?.query.since ?? "");
    expect(Math.abs(Date.now() - since - 86_400_000)).toBeLessThan(60_000);
  });

  test("takes its filters from the address, writes them there, and one button clears them", async () => {
    const user = userEvent.setup();
    go("#/events?state=dead&type=customer.*&endpoint=main");
    const asked = api({ "GET events": () => page(0, 2) });
    show(Events);
    await screen.findByText("2 events");
    expect(lists(asked)[0]?.query).toMatchObject({ state: "dead", type: "customer.*", endpoint: "main" });
    await user.type(screen.getByLabelText("Object"), "in_1{Enter}");
    await waitFor(() => expect(location.hash).toContain("object=in_1"));
    await waitFor(() => expect(lists(asked).at(-1)?.query).toMatchObject({ object: "in_1", state: "dead" }));
    await user.click(screen.getByRole("button", { name: "Clear filters (4)" }));
    await waitFor(() => expect(location.hash).toBe("#/events"));
    expect((screen.getByLabelText("Object") as HTMLInputElement).value).toBe("");
  });

  test("says beside the field which filter cannot be", async () => {
    go("#/events?object=nonsense");
    const error = {
      error: { code: "parameter_invalid", message: "it names no kind", field: "object", request_id: "r" },
    };
    api({ "GET events": () => json(error, 400) });
    show(Events);
    expect(await screen.findByText("It names no kind.")).toBeTruthy();
    expect(screen.getByLabelText("Object").getAttribute("aria-invalid")).toBe("true");
    expect(screen.queryByRole("table")).toBeNull();
  });

  test("lets new events wait while somebody reads, then shows them when asked", async () => {
    const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime });
    vi.useFakeTimers({ shouldAdvanceTime: true });
    vi.stubGlobal("scrollY", 900);
    vi.stubGlobal("scrollTo", vi.fn());
    go("#/events?since=all");
    let fresh = 0;
    api({ "GET events": () => page(-fresh, 5) });
    show(Events);
    await screen.findByText("5 events");
    const shown = () => screen.getAllByRole("row").map((row) => row.querySelector("a")?.getAttribute("href"));
    const before = shown();
    fresh = 3;
    await vi.advanceTimersByTimeAsync(6_000);
    const bar = await screen.findByRole("button", { name: "3 new events · Show" });
    expect(shown()).toEqual(before);
    await user.click(bar);
    expect(shown()).toHaveLength(before.length + 3);
    expect(shown()[1]).toBe(`#/events/${event(-3).id}`);
    vi.useRealTimers();
  });

  test("asks for nothing while it is paused", async () => {
    const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime });
    vi.useFakeTimers({ shouldAdvanceTime: true });
    go("#/events?since=all");
    const asked = api({ "GET events": () => page(0, 5) });
    show(Events);
    await screen.findByText("5 events");
    await user.click(screen.getByRole("button", { name: "Pause" }));
    await vi.advanceTimersByTimeAsync(100);
    const before = lists(asked).length;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(lists(asked)).toHaveLength(before);
    vi.useRealTimers();
  });

  test("that is empty teaches the next step", async () => {
    go("#/events");
    api({});
    show(Events);
    expect(await screen.findByText("No event in the last 24 hours")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Look at the webhook" }).getAttribute("href")).toBe(
      "#/settings/stripe",
    );
  });

  test("is well for screen readers", async () => {
    go("#/events?state=dead");
    api({ "GET events": () => ({ data: [event(0, { state: "dead", reason: "x: y" })], next_cursor: null }) });
    const { container } = show(Events);
    await screen.findByRole("button", { name: /^Replay all/ });
    const found = await axe.run(container, {
      rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
    });
    expect(found.violations.map(({ id }) => id)).toEqual([]);
  });
});

describe("one event", () => {
  const dead = wholeEvent({ state: "dead", reason: "Stripe refused: no", last_error: "Stripe refused: no" });
  const open = (one: object, rest: Parameters<typeof api>[0] = {}) => {
    const asked = api({ "GET events/": () => one, ...rest });
    return { asked, ...show(EventPage, { params: { id: dead.id } }) };
  };

  test("says which record shows it, with the way there", async () => {
    open(wholeEvent(), {
      "GET records/invoices/": () => record("invoices", "in_1SampleInvoice", { event: dead.id }),
    });
    expect(await screen.findByText(/The record shows this event now/)).toBeTruthy();
    const links = screen
      .getAllByRole("link", { name: "in_1SampleInvoice" })
      .map((link) => link.getAttribute("href"));
    expect(new Set(links)).toEqual(new Set(["#/records/invoices/in_1SampleInvoice"]));
  });

  test("says which event the record shows in its place", async () => {
    open(wholeEvent(), {
      "GET records/invoices/": () => record("invoices", "in_1SampleInvoice", { event: "evt_later1" }),
    });
    expect(await screen.findByText(/has moved on since/)).toBeTruthy();
    expect(screen.getByRole("link", { name: "evt_later1" }).getAttribute("href")).toBe("#/events/evt_later1");
  });

  test("is closed only with a reason, and only after a yes", async () => {
    const user = userEvent.setup();
    const { asked } = open(dead, {
      "POST events/": () => event(0, { state: "ignored", reason: "discarded: mine" }),
    });
    await user.click(await screen.findByRole("button", { name: "Close without applying" }));
    const dialog = within(await screen.findByRole("dialog"));
    await user.click(dialog.getByRole("button", { name: "Close it" }));
    expect(dialog.getByText("Say why.")).toBeTruthy();
    expect(asked.some(({ method }) => method === "POST")).toBe(false);
    await user.type(dialog.getByLabelText("Why"), "mine");
    await user.click(dialog.getByRole("button", { name: "Close it" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(asked.find(({ method }) => method === "POST")).toMatchObject({
      path: `events/${dead.id}/discard`,
      body: { why: "mine" },
    });
  });

  test("keeps what was typed when the API refuses, and says why", async () => {
    const user = userEvent.setup();
    const refused = {
      error: { code: "event_changed", message: "it changed at the same moment", request_id: "r-1" },
    };
    open(dead, { "POST events/": () => json(refused, 409) });
    await user.click(await screen.findByRole("button", { name: "Replay" }));
    const dialog = within(await screen.findByRole("dialog"));
    await user.type(dialog.getByLabelText(/^Why/), "again");
    await user.click(dialog.getByRole("button", { name: "Replay it" }));
    expect((await dialog.findByRole("alert")).textContent).toContain("It changed at the same moment.");
    expect((dialog.getByLabelText(/^Why/) as HTMLInputElement).value).toBe("again");
  });

  test("has no buttons for a viewer, and none where nothing can be done", async () => {
    await signedIn({ "cognito:groups": ["viewer"] });
    open(dead);
    expect(await screen.findByText("What happened to it")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Replay|Close without/ })).toBeNull();
  });

  test("says that its payload is erased, damaged, or no JSON", async () => {
    open(wholeEvent({ erased: true, payload: null }));
    expect(await screen.findByText(/was erased with the customer/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Replay" })).toBeNull();
    open(wholeEvent({ payload: null }));
    expect(await screen.findByText(/what is stored is damaged/)).toBeTruthy();
    open(wholeEvent({ payload: "<b>no</b>" }));
    expect(await screen.findByText("<b>no</b>")).toBeTruthy();
  });

  test("is well for screen readers", async () => {
    const payload = { data: { object: { object: "invoice", a: 2 }, previous_attributes: { a: 1 } } };
    const { container } = open({ ...dead, payload });
    await screen.findByText("What changed");
    const found = await axe.run(container, {
      rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
    });
    expect(found.violations.map(({ id }) => id)).toEqual([]);
  });
});
