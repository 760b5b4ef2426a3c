// The set-up: how far it is comes from the API alone, so that it goes on wherever it was left.
import { screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";
import Setup from "../src/pages/setup/setup.svelte";
import { type Facts, stepsOf } from "../src/pages/setup/steps.ts";
import { api } from "./help/api.ts";
import { faults } from "./help/axe.ts";
import { json, signedIn } from "./help/session.ts";
import { show } from "./help/show.ts";
import {
  endpoint,
  imported,
  noKey,
  refusal,
  registered,
  SECRET,
  settings,
  statusOf,
} from "./help/webhook.ts";

beforeEach(async () => {
  sessionStorage.clear();
  await signedIn();
});

const inactive = { ...statusOf([]), status: "inactive" as const, endpoints: [] };
const empty: Facts = { settings: noKey, endpoints: [], imported: imported(), status: inactive };

describe("the steps", () => {
  test("begin with the key, and the others come later", () => {
    expect(stepsOf(empty)).toEqual({ key: "now", register: "later", import: "later", active: "later" });
  });

  test("go on where somebody left", () => {
    const withKey = { ...empty, settings: settings() };
    expect(stepsOf(withKey)).toMatchObject({ key: "done", register: "now", import: "later" });
    const withEndpoint = { ...withKey, endpoints: [endpoint()], status: { ...inactive } };
    expect(stepsOf(withEndpoint)).toMatchObject({ register: "done", import: "now", active: "now" });
    const running = { ...withEndpoint, imported: imported({ state: "running" }), status: statusOf([]) };
    expect(stepsOf(running)).toMatchObject({ import: "working", active: "done" });
  });

  test("say what needs a look: a missing right, a list that is refused, a status that is an error", () => {
    const facts: Facts = {
      settings: settings({ read_events: "denied" }),
      endpoints: [endpoint()],
      imported: imported({ state: "finished", refused: { count: 1, first: [] } }),
      status: { ...statusOf([]), status: "error" },
    };
    expect(stepsOf(facts)).toEqual({
      key: "trouble",
      register: "done",
      import: "trouble",
      active: "trouble",
    });
  });

  test("are not known while the API has not answered", () => {
    const none = { settings: undefined, endpoints: undefined, imported: undefined, status: undefined };
    expect(new Set(Object.values(stepsOf(none)))).toEqual(new Set(["unknown"]));
  });
});

const step = (name: RegExp) => screen.getByRole("heading", { level: 2, name }).closest("li") as HTMLElement;

test("an empty stack is led from the key to Active, each result shown as it comes", async () => {
  let now = { settings: noKey, endpoints: [] as object[], imported: imported(), status: inactive as object };
  api({
    "GET settings": () => now.settings,
    "PUT settings/stripe-key": () => {
      now = { ...now, settings: settings() };
      return now.settings;
    },
    "GET endpoints": () => ({ data: now.endpoints, next_cursor: null }),
    "POST endpoints": () => {
      now = { ...now, endpoints: [endpoint()], status: statusOf([]) };
      return json(registered(), 201);
    },
    "GET import": () => now.imported,
    "POST import": () => {
      now = { ...now, imported: imported({ state: "running", begun_at: "2026-11-30T12:00:00Z" }) };
      return json(now.imported, 202);
    },
    "GET status": () => now.status,
  });
  const user = userEvent.setup();
  show(Setup);
  await user.type(await screen.findByLabelText("Stripe key"), "rk_test_51abc");
  expect(within(step(/Webhook/)).getByText("Set a key first.")).toBeTruthy();
  expect(await faults()).toEqual([]);
  await user.click(screen.getByRole("button", { name: "Check and save the key" }));
  expect(await within(step(/Stripe key/)).findByText("acct_1SampleAccount")).toBeTruthy();

  await user.click(await within(step(/Webhook/)).findByRole("button", { name: "Register" }));
  await user.click(await within(step(/Webhook/)).findByRole("button", { name: "Show" }));
  expect(step(/Webhook/).textContent).toContain(SECRET);
  await user.click(screen.getByRole("button", { name: "I have kept the secret" }));
  expect(document.body.innerHTML).not.toContain(SECRET);

  expect(await within(step(/Active/)).findByText("Active", { selector: ".filled *" })).toBeTruthy();
  await user.click(within(step(/What was there before/)).getByRole("button", { name: "Start the import" }));
  expect(await within(step(/What was there before/)).findByText("Running")).toBeTruthy();
  expect(await faults()).toEqual([]);
});

test("a registration keeps its form and its error though its endpoint is there already", async () => {
  let answer: (value: unknown) => void = () => {};
  let there: object[] = [];
  api({
    "GET settings": () => settings(),
    "GET endpoints": () => ({ data: there, next_cursor: null }),
    "POST endpoints": () =>
      new Promise((done) => {
        answer = done;
      }),
    "GET import": () => imported(),
    "GET status": () => inactive,
  });
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime });
  show(Setup);
  await user.click(await within(step(/Webhook/)).findByRole("button", { name: "Register" }));
  there = [endpoint({ state: "registering" })];
  await vi.advanceTimersByTimeAsync(16_000);
  expect(within(step(/Webhook/)).getByText("Registering")).toBeTruthy();
  expect(within(step(/Webhook/)).getByLabelText("Name")).toBeTruthy();
  answer(json(refusal("stripe_refused", "Stripe said no to this one"), 502));
  expect(await within(step(/Webhook/)).findByText(/Stripe said no to this one/)).toBeTruthy();
  await vi.advanceTimersByTimeAsync(16_000);
  expect(within(step(/Webhook/)).getByText(/Stripe said no to this one/)).toBeTruthy();
  vi.useRealTimers();
});

test("the import shows each kind as it comes, and why one is refused", async () => {
  const list = { account: null, written: 0, left_out: { count: 0, first: [] }, refusal: null };
  api({
    "GET settings": () => settings(),
    "GET import": () =>
      imported({
        state: "running",
        begun_at: "2026-11-30T12:00:00Z",
        looked_at: 1212,
        progress: [
          { ...list, kind: "customers", state: "done", looked_at: 1200 },
          {
            ...list,
            kind: "disputes",
            state: "refused",
            looked_at: 12,
            refusal: { stripe_status: 403, stripe_message: "no rak_dispute_read", stripe_request: "req_1" },
          },
        ] as never,
      }),
  });
  show(Setup);
  const table = await screen.findByRole("table", { name: "How far each list is" });
  expect(within(table).getByText("1,200")).toBeTruthy();
  expect(within(table).getByText("no rak_dispute_read")).toBeTruthy();
  expect(screen.getByText("2 of 2 lists done")).toBeTruthy();
});

test("a viewer sees how far it is, and has no buttons and no fields", async () => {
  await signedIn({ "cognito:groups": ["viewer"] });
  api({ "GET settings": () => noKey, "GET import": () => imported() });
  const { container } = show(Setup);
  await screen.findByText("Set a key first.", { exact: false }).catch(() => null);
  await screen.findAllByText("Later");
  expect(screen.queryAllByRole("button")).toEqual([]);
  expect(container.querySelector("input, a[target]")).toBeNull();
  expect(screen.getByText(/An admin can do the steps/)).toBeTruthy();
});
