// Endpoints: the list, and one of them with its test, its secret, its rotation and its events.
import { screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { to } from "../src/links.ts";
import EndpointPage from "../src/pages/endpoints/endpoint.svelte";
import Endpoints from "../src/pages/endpoints/endpoints.svelte";
import SigningSecret from "../src/pages/endpoints/signing-secret.svelte";
import { applied } from "../src/parts/webhook/event-types.ts";
import { words } from "../src/words/words.ts";
import { api } from "./help/api.ts";
import { faults } from "./help/axe.ts";
import { wholeEvent } from "./help/samples.ts";
import { json, signedIn } from "./help/session.ts";
import { show } from "./help/show.ts";
import { check, endpoint, refusal, SECRET, statusOf } from "./help/webhook.ts";

const said = words.endpoints.test;

beforeEach(async () => {
  vi.useRealTimers();
  sessionStorage.clear();
  await signedIn();
});

const entry = (target: string, action: string, result = "done") => ({
  at: "2026-11-30T12:00:00Z",
  action,
  target,
  subject: "s",
  claimed: null,
  email: "anna@example.com",
  address: null,
  result,
  before: null,
  after: null,
});
const page = (one: object) => ({
  "GET endpoints/main": () => one,
  "GET endpoints": () => ({ data: [one], next_cursor: null }),
  "GET status": () => statusOf([check("backlog", "failed")], [check("at_stripe", "ok")]),
  "GET audit": () => ({
    data: [
      entry("main", "endpoint.test"),
      entry("other", "endpoint.repair"),
      entry("main", "endpoint.rotate", "change_in_progress"),
    ],
    next_cursor: null,
  }),
});

describe("the list", () => {
  test("has each with its state and its status, and an unknown status is not well", async () => {
    const two = [endpoint({ events: [...applied] }), endpoint({ name: "disputes", state: "disabled" })];
    api({ "GET endpoints": () => ({ data: two, next_cursor: null }), "GET status": () => statusOf([]) });
    show(Endpoints);
    const row = (await screen.findByRole("link", { name: "disputes" })).closest("tr") as HTMLElement;
    expect(within(row).getByText("Disabled")).toBeTruthy();
    expect(within(row).getAllByText("Not known yet")).toHaveLength(2);
    expect(within(row).getByText("2 types")).toBeTruthy();
    expect(screen.getByText("Everything that Billhook keeps")).toBeTruthy();
    expect(await faults()).toEqual([]);
  });

  test("that is empty teaches the next step", async () => {
    api({});
    show(Endpoints);
    expect(await screen.findByText("No endpoint is registered")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Register webhook" })).toBeTruthy();
  });
});

describe("one endpoint", () => {
  test("shows its facts, its own checks, and what was done with it", async () => {
    api(page(endpoint({ description: "<b>x</b>" })));
    const { container } = show(EndpointPage, { params: { name: "main" } });
    expect(await screen.findByText("we_1SampleEndpoint")).toBeTruthy();
    const link = screen.getByRole("link", { name: /Open it in Stripe’s dashboard/ });
    expect(link.getAttribute("href")).toBe("https://dashboard.stripe.com/test/webhooks/we_1SampleEndpoint");
    const done = await screen.findByRole("list", { name: "What was done with it" });
    expect(within(done).getByText("Tested an endpoint")).toBeTruthy();
    expect(within(done).getByText(/Refused: change_in_progress/)).toBeTruthy();
    expect(within(done).queryByText("Repaired an endpoint")).toBeNull();
    expect(await screen.findByText("1 check is well")).toBeTruthy();
    expect(container.querySelector("dd b")).toBeNull();
    expect(await faults()).toEqual([]);
  });

  test("never links to an address that is not Stripe's", async () => {
    api(page(endpoint({ dashboard_url: "https://evil.example/" })));
    show(EndpointPage, { params: { name: "main" } });
    await screen.findByText("we_1SampleEndpoint");
    expect(screen.queryByRole("link", { name: /dashboard/ })).toBeNull();
  });

  test("that is gone says so", async () => {
    api({ "GET endpoints/main": () => json(refusal("not_found", "there is no endpoint `main`"), 404) });
    show(EndpointPage, { params: { name: "main" } });
    expect(await screen.findByText("There is no such endpoint")).toBeTruthy();
  });

  test("is tested step by step: first all wait, then each says how it went", async () => {
    let answer: (value: object) => void = () => {};
    api({
      ...page(endpoint()),
      "POST endpoints/main/test": () =>
        new Promise<object>((resolve) => {
          answer = resolve;
        }),
    });
    const user = userEvent.setup();
    show(EndpointPage, { params: { name: "main" } });
    await user.click(await screen.findByRole("button", { name: "Test" }));
    const steps = await screen.findByRole("list", { name: "Test" });
    expect(within(steps).getAllByText("Waiting")).toHaveLength(8);
    expect(within(steps).getByText(said.sent).nextElementSibling?.textContent).toContain("Well");
    expect(screen.getByText(/^For 0 s now\./)).toBeTruthy();
    const step = (name: string, ok: boolean | null, evidence = {}) => ({ step: name, ok, evidence });
    answer({
      name: "main",
      url: "https://x",
      event: null,
      ok: false,
      steps: [
        step("name", true, { addresses: ["203.0.113.5"] }),
        step("connection", false, { why: "connection refused" }),
        step("answer", null),
        step("body_unchanged", null),
        step("stored", null),
        step("clock", null),
      ],
      took_ms: 12,
      summary: "nothing takes connections",
      remedy: "look for a firewall",
    });
    expect(await screen.findByText("It did not come through.")).toBeTruthy();
    const after = screen.getByRole("list", { name: "Test" });
    expect(within(after).getByText("connection refused")).toBeTruthy();
    expect(within(after).getAllByText("Not reached")).toHaveLength(6);
    expect(screen.getByText("Look for a firewall.")).toBeTruthy();
  });

  test("is tested up to the ledger and the status, each asked until it is there", async () => {
    const id = "evt_probe_1";
    const sent = "2026-11-30T14:05:00Z";
    const probe = { ...wholeEvent({ id, type: "billhook.probe", state: "ignored" }), created: sent };
    let asks = 0;
    let kept = false;
    const knows = (at: string) => statusOf([], [check("probe_arrives", "ok", { evidence: { at } })]);
    api({
      ...page(endpoint()),
      "POST endpoints/main/test": () => ({
        ...{ name: "main", url: "https://x", event: id, ok: true, steps: [], took_ms: 12 },
        ...{ summary: null, remedy: null },
      }),
      [`GET events/${id}`]: () => (kept ? probe : json(refusal("not_found", "no such event"), 404)),
      "GET status": () => knows(asks++ < 3 ? "2026-11-30T13:00:00Z" : "2026-11-30T14:05:00.250Z"),
    });
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime });
    show(EndpointPage, { params: { name: "main" } });
    await user.click(await screen.findByRole("button", { name: "Test" }));
    const steps = await screen.findByRole("list", { name: "Test" });
    const step = (text: string) => within(steps).getByText(text).parentElement?.textContent;
    expect(await screen.findByText("It came through in 12 ms.")).toBeTruthy();
    expect(step(said.inLedger)).toContain("Waiting");
    kept = true;
    await vi.advanceTimersByTimeAsync(1_500);
    expect(step(said.inLedger)).toContain("There");
    expect(within(steps).getByRole("link", { name: "See it" }).getAttribute("href")).toBe(to.event(id));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(step(said.inStatus)).toContain("There");
  });

  test("gets other events, with groups as patterns", async () => {
    const asked = api({
      ...page(endpoint()),
      "PATCH endpoints/main": () => endpoint({ events: [...applied] }),
    });
    const user = userEvent.setup();
    show(EndpointPage, { params: { name: "main" } });
    await user.click(await screen.findByRole("button", { name: "Change the events" }));
    await user.click(screen.getByRole("radio", { name: /Everything that Billhook keeps/ }));
    await user.click(screen.getByRole("button", { name: "Save the events" }));
    expect(asked.find(({ method }) => method === "PATCH")?.body).toEqual({ events: null });
  });

  test("is disabled after a question, and a refusal is told in words", async () => {
    api({
      ...page(endpoint()),
      "PATCH endpoints/main": () =>
        json(refusal("rotation_in_progress", "it is getting another secret", undefined, "DELETE /x"), 409),
    });
    const user = userEvent.setup();
    show(EndpointPage, { params: { name: "main" } });
    await user.click(await screen.findByRole("button", { name: "Disable" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Disable" }));
    const alert = await within(dialog).findByRole("alert");
    expect(alert.textContent).toContain("Wait until the rotation is over");
  });

  test("offers a viewer no secret and nothing that changes something", async () => {
    await signedIn({ "cognito:groups": ["viewer"] });
    api(page(endpoint()));
    show(EndpointPage, { params: { name: "main" } });
    await screen.findByText("Ends with k3Yz");
    await screen.findByRole("list", { name: "What was done with it" });
    const named = screen.getAllByRole("button").filter((button) => button.textContent?.trim());
    expect(named).toEqual([]);
  });
});

describe("the signing secret", () => {
  test("is shown when an admin asks for it, and hidden again after a minute", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const asked = api({
      "GET endpoints/main/secret": () => ({
        name: "main",
        signing_secret: SECRET,
        accepted: [{ stripe_id: "we_1SampleEndpoint", signing_secret: SECRET }],
      }),
    });
    const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime });
    const { container } = show(SigningSecret, { endpoint: endpoint() });
    expect(asked).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Show the secret" }));
    await user.click(await screen.findByRole("button", { name: "Show" }));
    expect(container.textContent).toContain(SECRET);
    await vi.advanceTimersByTimeAsync(61_000);
    expect(container.innerHTML).not.toContain(SECRET);
    expect(screen.getByRole("button", { name: "Show the secret" })).toBeTruthy();
  });

  test("that is being changed shows how far it is, and can be left as it was", async () => {
    const rotation = {
      stripe_id: "we_2",
      api_version: "2026-10-28.endive",
      begun_at: "2026-11-30T12:00:00Z",
      live_since: null,
      at_once: false,
    };
    const asked = api({
      "DELETE endpoints/main/rotate": () => ({ ...endpoint(), consequence: "nothing is lost" }),
    });
    const user = userEvent.setup();
    show(SigningSecret, { endpoint: endpoint({ state: "rotating", rotation }) });
    const steps = screen.getByRole("list", { name: "Rotation" });
    const [made, gets] = within(steps).getAllByRole("listitem");
    expect(made?.querySelector(".good")).not.toBeNull();
    expect(gets?.querySelector(".good")).toBeNull();
    expect(screen.queryByRole("button", { name: "Rotate the secret" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "Give it up" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Give it up" }));
    expect(asked.some(({ method }) => method === "DELETE")).toBe(true);
  });
});
