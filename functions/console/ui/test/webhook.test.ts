// What Set-up, Stripe and Endpoints share: keys and their rights, choices of events, evidence, the order of checks.
import { render, screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";
import { makeQueryClient } from "../src/api/query-client.ts";
import type { Check } from "../src/api/types.ts";
import { checkWords } from "../src/parts/check-words.ts";
import CheckList from "../src/parts/webhook/check-list.svelte";
import { sortedChecks } from "../src/parts/webhook/checks.ts";
import EventChoice from "../src/parts/webhook/event-choice.svelte";
import {
  applied,
  asPatterns,
  groupsWith,
  isEverything,
  known,
  toggled,
} from "../src/parts/webhook/event-types.ts";
import Evidence from "../src/parts/webhook/evidence.svelte";
import KeyForm from "../src/parts/webhook/key-form.svelte";
import { KEY_RIGHTS, missingRights, newKeyPage, rightsOf } from "../src/parts/webhook/key-rights.ts";
import KeyView from "../src/parts/webhook/key-view.svelte";
import { keyWarnings } from "../src/parts/webhook/key-warnings.ts";
import RegisterDialog from "../src/parts/webhook/register-dialog.svelte";
import RotateDialog from "../src/parts/webhook/rotate-dialog.svelte";
import RunReconcile from "../src/parts/webhook/run-reconcile.svelte";
import RunReplay from "../src/parts/webhook/run-replay.svelte";
import { api } from "./help/api.ts";
import { faults } from "./help/axe.ts";
import { outcome } from "./help/samples.ts";
import { json, signedIn } from "./help/session.ts";
import Show from "./help/show.svelte";
import { show } from "./help/show.ts";
import { check, endpoint, refusal, registered, SECRET, settings, statusOf } from "./help/webhook.ts";

beforeEach(async () => {
  sessionStorage.clear();
  await signedIn();
});

describe("a key that is typed", () => {
  test("is warned of when it is of the other mode, may do everything, or is no key", () => {
    expect(keyWarnings("rk_test_51abc", "test")).toEqual([]);
    expect(keyWarnings(" rk_live_51abc ", "test")).toEqual(["other_mode"]);
    expect(keyWarnings("sk_test_51abc", "test")).toEqual(["unrestricted"]);
    expect(keyWarnings("sk_live_51abc", "test")).toEqual(["other_mode", "unrestricted"]);
    expect(keyWarnings("pk_test_51abc", "test")).toEqual(["publishable"]);
    expect(keyWarnings("whsec_abc", "test")).toEqual(["signing_secret"]);
    expect(keyWarnings("hello", "test")).toEqual(["not_a_key"]);
  });

  test("is not nagged at while its beginning is still being typed", () => {
    for (const typed of ["", "r", "rk_", "rk_te", "sk_live_"]) expect(keyWarnings(typed, "test")).toEqual([]);
  });
});

describe("Stripe's page for a key", () => {
  test("is of this mode, and has just the rights that are needed", () => {
    const page = new URL(newKeyPage("test"));
    expect(page.origin + page.pathname).toBe("https://dashboard.stripe.com/test/apikeys/create");
    expect(page.searchParams.get("name")).toBe("Billhook");
    expect(page.searchParams.getAll("permissions[]")).toEqual(KEY_RIGHTS.map(({ permission }) => permission));
    expect(KEY_RIGHTS.filter(({ permission }) => permission.endsWith("_write"))).toHaveLength(1);
    expect(newKeyPage("live")).toMatch(/^https:\/\/dashboard\.stripe\.com\/apikeys\/create\?/);
  });
});

describe("the rights of the key", () => {
  const rights = {
    read_webhook_endpoints: "ok",
    read_events: "denied",
    read_refunds: "unknown",
    read_tea: "denied",
  };

  test("are named one by one, those of a later release by their own name", () => {
    expect(missingRights(rights).map(({ title, why }) => [title, why === null])).toEqual([
      ["Read events", false],
      ["Read tea", true],
    ]);
    expect(rightsOf({ read_events: "perhaps" })[0]?.state).toBe("unknown");
  });

  test("are shown with what is missing without them, and an unknown one is never as well", async () => {
    show(KeyView, { settings: settings(rights) });
    expect(screen.getByText("2 rights are missing")).toBeTruthy();
    const missing = screen.getByText(/Events that did not arrive stay missing\./).textContent;
    expect(missing).toContain("On Stripe’s page it is “Events: Read”.");
    const row = screen.getByText("Read refunds").closest("li") as HTMLElement;
    expect(within(row).getByText("Not known yet")).toBeTruthy();
    expect(row.querySelector(".good")).toBeNull();
    expect(await faults()).toEqual([]);
  });
});

describe("the form for a key", () => {
  test("hides what is typed, keeps it nowhere, and forgets it when it is accepted", async () => {
    const asked = api({ "PUT settings/stripe-key": () => settings() });
    const user = userEvent.setup();
    show(KeyForm);
    const field = screen.getByLabelText("Stripe key") as HTMLInputElement;
    expect([field.type, field.autocomplete]).toEqual(["password", "off"]);
    await user.type(field, "rk_test_51abc");
    await user.click(screen.getByRole("button", { name: "Check and save the key" }));
    expect(asked[0]?.body).toEqual({ key: "rk_test_51abc" });
    expect(field.value).toBe("");
    expect(Object.values(sessionStorage).join()).not.toContain("rk_test_51abc");
    const link = screen.getByRole("link", { name: /Make a restricted key at Stripe/ });
    expect([link.getAttribute("target"), link.getAttribute("rel")]).toEqual(["_blank", "noopener"]);
  });

  test("says why a key was refused, and what to do", async () => {
    api({
      "PUT settings/stripe-key": () =>
        json(refusal("key_of_other_mode", "this key is of live mode", "key", "use sk_test_"), 400),
    });
    const user = userEvent.setup();
    show(KeyForm);
    await user.type(screen.getByLabelText("Stripe key"), "rk_live_51abc");
    expect(screen.getByText(/so the key will be refused/)).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Check and save the key" }));
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("This key is of live mode.");
    expect(alert.textContent).toContain("Make a key in the mode that stands at the top of this page.");
    expect(await faults()).toEqual([]);
  });
});

describe("event types", () => {
  test("are all of Stripe's, and know which change a record", () => {
    expect(known.length).toBeGreaterThan(250);
    for (const type of applied) expect(known).toContain(type);
    expect(isEverything([...applied])).toBe(true);
    expect(isEverything(applied.slice(1))).toBe(false);
  });

  test("are found by any part of their names, and by a pattern", () => {
    expect(groupsWith("DISPUTE").map(({ group }) => group)).toContain("charge");
    const [charge] = groupsWith("charge.dispute.*");
    expect(charge?.types).toHaveLength(5);
    expect(groupsWith("no such thing")).toEqual([]);
  });

  test("that a pattern names go with it, and whole groups become one", () => {
    expect(toggled(["charge.failed", "invoice.paid"], "charge.*")).toEqual(["charge.*", "invoice.paid"]);
    expect(toggled(["charge.*", "invoice.paid"], "charge.*")).toEqual(["invoice.paid"]);
    const refunds = known.filter((type) => type.startsWith("refund."));
    expect(asPatterns([...refunds, "invoice.paid"])).toEqual(["invoice.paid", "refund.*"]);
  });

  test("are chosen by a search, group or type, with the keyboard too", async () => {
    const user = userEvent.setup();
    show(EventChoice, { value: null });
    expect(
      (screen.getByRole("radio", { name: /Everything that Billhook keeps/ }) as HTMLInputElement).checked,
    ).toBe(true);
    await user.click(screen.getByRole("radio", { name: /Only these/ }));
    await user.type(screen.getByRole("searchbox"), "charge.dispute");
    await user.click(screen.getByRole("checkbox", { name: /charge\.dispute\.\* — all 5/ }));
    expect(screen.getByText(/5 types chosen/)).toBeTruthy();
    const single = screen.getByRole("checkbox", { name: "charge.dispute.created" }) as HTMLInputElement;
    expect([single.checked, single.disabled]).toEqual([true, true]);
    expect(await faults()).toEqual([]);
  });
});

describe("evidence", () => {
  test("is names and values that can be read, and what this page does not know is shown too", () => {
    const { container } = show(Evidence, {
      value: {
        found: "disabled",
        reconciled_at: "2026-11-24T12:00:00Z",
        seconds_ahead: 7,
        still_to_compare: true,
        halted: { why: "no_key" },
        list: [{ id: "<b>1</b>" }],
        from_a_later_release: 3,
        nothing: null,
      },
    });
    const text = container.textContent ?? "";
    for (const part of [
      "At Stripe",
      "disabled",
      "7 s",
      "yes",
      "no Stripe key is set",
      "From a later release",
      "3",
    ]) {
      expect(text).toContain(part);
    }
    expect(container.querySelector("time")).not.toBeNull();
    expect(container.querySelector("b")).toBeNull();
    expect(text).not.toMatch(/[{}"]|null/);
  });
});

describe("checks", () => {
  const status = statusOf(
    [
      check("backlog", "failed", { severity: "warning" }),
      check("clock", "ok"),
      check("stripe_answers", "unknown", { remedy: "the first call; POST /reconcile does it now" }),
    ],
    [
      check("at_stripe", "failed"),
      check("deliveries_arrive", "later" as Check["outcome"]),
      check("probe_arrives", "ok"),
    ],
  );

  test("in trouble come first, the gravest before; an outcome that nobody knows is not well", () => {
    const sorted = sortedChecks(status);
    expect(sorted.failed.map(({ check: { code } }) => code)).toEqual(["at_stripe", "backlog"]);
    expect(sorted.unknown.map(({ check: { code } }) => code)).toEqual([
      "stripe_answers",
      "deliveries_arrive",
    ]);
    expect(sorted.fine.map(({ check: { code } }) => code)).toEqual(["clock", "probe_arrives"]);
    expect(sortedChecks(status, "main").failed).toHaveLength(1);
  });

  test("that are fine are one line, those not known yet say what they wait for and are not green", async () => {
    const { container } = show(CheckList, { checks: sortedChecks(status) });
    const fine = screen.getByText("2 checks are well").closest("details") as HTMLDetailsElement;
    expect(fine.open).toBe(false);
    expect(screen.getByText("2 checks are not known yet")).toBeTruthy();
    for (const item of container.querySelectorAll("li.unknown"))
      expect(item.querySelector(".good")).toBeNull();
    expect(await faults()).toEqual([]);
  });

  test("that are not known name no call of the API", () => {
    const [unknown] = sortedChecks(status).unknown;
    expect(unknown && checkWords(unknown.check).todo).toBe("the first call");
  });

  test("are put right where they stand, and say what came of it", async () => {
    const mended = statusOf([check("backlog", "failed")], [check("at_stripe", "ok")]);
    const asked = api({
      "POST endpoints/main/repair": () => ({ ...endpoint(), replaced: true }),
      "GET status": () => mended,
    });
    const user = userEvent.setup();
    show(CheckList, { checks: sortedChecks(status) });
    await user.click(screen.getByRole("button", { name: "Repair" }));
    expect(await screen.findByText(/with another signing secret/)).toBeTruthy();
    expect(asked.some(({ query }) => query.live === "true")).toBe(true);
  });

  test("offer a viewer nothing that changes something", async () => {
    await signedIn({ "cognito:groups": ["viewer"] });
    show(CheckList, { checks: sortedChecks(status) });
    const buttons = screen.queryAllByRole("button").filter((one) => !one.hasAttribute("aria-expanded"));
    expect(buttons).toEqual([]);
  });

  test("that are not known open where they stand", async () => {
    const { container } = show(CheckList, { checks: sortedChecks(status) });
    const unknown = () => [...container.querySelectorAll<HTMLElement>("li.unknown, li.later")];
    expect(unknown().map((item) => item.hidden)).toEqual([true, true]);
    await userEvent.setup().click(screen.getByRole("button", { name: "2 checks are not known yet" }));
    expect(unknown().map((item) => item.hidden)).toEqual([false, false]);
  });

  test("keep what a remedy did, whatever the check turns into meanwhile", async () => {
    let answer: (value: object) => void = () => {};
    const now = (outcome: Check["outcome"]) =>
      sortedChecks(statusOf([check("clock", "ok")], [check("probe_arrives", outcome)]));
    api({
      "POST endpoints/main/test": () =>
        new Promise<object>((done) => {
          answer = done;
        }),
      "GET status": () => statusOf([]),
    });
    const user = userEvent.setup();
    const given = (outcome: Check["outcome"]) => ({
      client: makeQueryClient(),
      part: CheckList,
      given: { checks: now(outcome) },
    });
    const first = given("unknown");
    const { rerender } = render(Show, first);
    await user.click(screen.getByRole("button", { name: "Test" }));
    for (const outcome of ["failed", "unknown", "ok"] as const) {
      await rerender({ ...given(outcome), client: first.client });
      expect(screen.getByRole("list", { name: "Test" })).toBeTruthy();
    }
    answer({ name: "main", url: "https://x", ok: true, steps: [], took_ms: 12 });
    expect(await screen.findByText(/12 ms/)).toBeTruthy();
  });
});

test("what is dead is replayed as everywhere: counted first, in steps, stopped when asked, with a guard", async () => {
  let answer = () => {};
  const asked = api({
    "POST events/replay": ({ body }) =>
      body.dry_run
        ? outcome({ matching: 240, dry_run: true })
        : new Promise((done) => {
            answer = () => done(outcome({ matching: 100, changed: 99, overtaken: 1, next_cursor: "next" }));
          }),
    "GET status": () => statusOf([]),
  });
  const user = userEvent.setup();
  show(RunReplay);
  await user.click(screen.getByRole("button", { name: "Replay what is dead" }));
  expect(await screen.findByRole("dialog", { name: "Replay what is dead" })).toBeTruthy();
  const go = await screen.findByRole("button", { name: "Replay 240 events" });
  const replays = () => asked.filter(({ path }) => path === "events/replay").map(({ body }) => body);
  expect(replays()).toEqual([{ state: "dead", dry_run: true }]);
  await user.click(go);
  const closing = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(closing);
  expect(closing.defaultPrevented).toBe(true);
  await user.click(screen.getByRole("button", { name: "Stop" }));
  answer();
  expect(await screen.findByText("Stopped before the end")).toBeTruthy();
  expect(screen.getByText("Replayed").nextElementSibling?.textContent).toBe("99");
  expect(replays().slice(1)).toEqual([{ state: "dead", limit: 100 }]);
});

test("a reconciliation that could not ask Stripe says so, and is not well", async () => {
  const found = { looked_at: 0, filled: 0, more: false, compared_until: null };
  api({
    "POST reconcile": () => ({ ...found, endpoints: "ok", events: "key_lacks_right" }),
    "GET status": () => statusOf([]),
  });
  const user = userEvent.setup();
  const { container } = show(RunReconcile);
  await user.click(screen.getByRole("button", { name: "Reconcile now" }));
  expect(await screen.findByText("The key may not read what it would take.")).toBeTruthy();
  expect(container.querySelector(".good")).toBeNull();
});

describe("registering", () => {
  test("shows address and secret once, and forgets the secret when the dialog is closed", async () => {
    const asked = api({ "POST endpoints": () => json(registered(), 201) });
    const user = userEvent.setup();
    show(RegisterDialog, { open: true, offered: "main" });
    await user.click(await screen.findByRole("button", { name: "Register" }));
    expect(asked.find(({ method }) => method === "POST")?.body).toEqual({ name: "main", events: null });
    expect(await screen.findByText("https://billhook.example/webhooks/main")).toBeTruthy();
    expect(document.body.innerHTML).not.toContain(SECRET);
    await user.click(screen.getByRole("button", { name: "Show" }));
    expect(document.body.textContent).toContain(SECRET);
    expect(await faults()).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Done" }));
    expect(document.body.innerHTML).not.toContain(SECRET);
    expect(JSON.stringify({ ...sessionStorage })).not.toContain(SECRET);
  });

  test("cannot be closed while it is under way, and can once it failed", async () => {
    let answer: (value: unknown) => void = () => {};
    api({
      "POST endpoints": () =>
        new Promise((done) => {
          answer = done;
        }),
    });
    const user = userEvent.setup();
    show(RegisterDialog, { open: true, offered: "main" });
    await user.click(await screen.findByRole("button", { name: "Register" }));
    expect(screen.queryByRole("button", { name: "Close" })).toBeNull();
    await user.keyboard("{Escape}");
    expect(screen.getByRole("dialog")).toBeTruthy();
    answer(json(refusal("no_key", "there is no key"), 409));
    await user.click(await screen.findByRole("button", { name: "Close" }));
    await expect.poll(() => screen.queryByRole("dialog")).toBeNull();
  });

  test("that ends when its dialog was closed leaves no secret behind", async () => {
    let answer: (value: unknown) => void = () => {};
    api({
      "POST endpoints": () =>
        new Promise((done) => {
          answer = done;
        }),
    });
    const client = makeQueryClient();
    const shown = (open: boolean) => ({ client, part: RegisterDialog, given: { open, offered: "main" } });
    const { rerender } = render(Show, shown(true));
    await userEvent.setup().click(await screen.findByRole("button", { name: "Register" }));
    await rerender(shown(false));
    answer(json(registered(), 201));
    await new Promise((done) => setTimeout(done, 50));
    await rerender(shown(true));
    expect(await screen.findByRole("button", { name: "Register" })).toBeTruthy();
    expect(document.body.textContent).not.toContain("https://billhook.example/webhooks/main");
  });

  test("puts a refusal beside its field, in words that name no call", async () => {
    api({
      "POST endpoints": () =>
        json(
          refusal("endpoint_exists", "there is an endpoint `main` already", "name", "DELETE /endpoints/main"),
          409,
        ),
    });
    const user = userEvent.setup();
    show(RegisterDialog, { open: true, offered: "main" });
    await user.click(await screen.findByRole("button", { name: "Register" }));
    await screen.findByText(/There is an endpoint/);
    const name = screen.getByLabelText("Name");
    const described = (name.getAttribute("aria-describedby") ?? "").split(" ");
    const text = described.map((id) => document.getElementById(id)?.textContent).join(" ");
    expect(text).toContain("There is an endpoint `main` already.");
    expect(text).not.toContain("DELETE");
  });

  test("asks nothing of the API while a name or the events are wrong", async () => {
    const asked = api({});
    const user = userEvent.setup();
    show(RegisterDialog, { open: true, offered: "" });
    await user.type(await screen.findByLabelText("Name"), "Not A Name");
    await user.click(screen.getByRole("radio", { name: /Only these/ }));
    await user.click(screen.getByRole("button", { name: "Register" }));
    expect(screen.getByText(/Small letters, digits and hyphens, at most 32/)).toBeTruthy();
    expect(screen.getByText("Choose at least one type.")).toBeTruthy();
    expect(asked.filter(({ method }) => method === "POST")).toEqual([]);
  });
});

test("rotating explains itself, and shows the new secret once", async () => {
  const asked = api({
    "POST endpoints/main/rotate": () => ({
      ...endpoint({ state: "rotating" }),
      signing_secret: SECRET,
      consequence: "no event is lost",
    }),
  });
  const user = userEvent.setup();
  show(RotateDialog, { open: true, name: "main" });
  await user.click(await screen.findByRole("radio", { name: /At once, because it has leaked/ }));
  await user.click(screen.getByRole("button", { name: "Rotate" }));
  expect(asked.find(({ method }) => method === "POST")?.body).toEqual({ at_once: true });
  await user.click(await screen.findByRole("button", { name: "Show" }));
  expect(document.body.textContent).toContain(SECRET);
  await user.click(screen.getByRole("button", { name: "Done" }));
  expect(document.body.innerHTML).not.toContain(SECRET);
});
