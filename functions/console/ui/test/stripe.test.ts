// Settings > Stripe: the status in words, the rules, deregistering by name; and nothing of power for a viewer.
import { screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { wrongRetry } from "../src/pages/stripe/retry.ts";
import Stripe from "../src/pages/stripe/stripe.svelte";
import { api } from "./help/api.ts";
import { faults } from "./help/axe.ts";
import { json, signedIn } from "./help/session.ts";
import { show } from "./help/show.ts";
import { check, endpoint, noKey, refusal, settings, statusOf } from "./help/webhook.ts";

beforeEach(async () => {
  vi.useRealTimers();
  sessionStorage.clear();
  await signedIn();
});

const compared = check("events_compared", "ok", {
  evidence: { compared_until: "2026-11-30T14:05:00Z", still_to_compare: false },
});
const usual = {
  "GET settings": () => settings(),
  "GET endpoints": () => ({ data: [endpoint()], next_cursor: null }),
  "GET status": () => statusOf([compared], [check("at_stripe", "ok")]),
};
const statusCard = () => screen.getByRole("region", { name: "Webhook status" });

describe("the status", () => {
  test("is a word with its sign, beside the mode and how far events are compared", async () => {
    api(usual);
    show(Stripe);
    const card = statusCard();
    expect(await within(card).findByText("Active")).toBeTruthy();
    expect(within(card).getByText(/^TEST/)).toBeTruthy();
    expect(card.querySelector('time[datetime="2026-11-30T14:05:00.000Z"]')).not.toBeNull();
    expect(await screen.findByText("rk_test_…mple")).toBeTruthy();
    expect(await faults()).toEqual([]);
  });

  test("that cannot be read is not known, and neither well nor an error", async () => {
    api({ ...usual, "GET status": () => json({ message: "Forbidden" }, 403) });
    show(Stripe);
    expect(await screen.findByText("You may not do this")).toBeTruthy();
    expect(statusCard().textContent).toContain("Not known yet");
    expect(statusCard().className).not.toMatch(/good|bad/);
  });

  test("that could not be read again for a minute is not known any more, and says what it was", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    let up = true;
    api({
      ...usual,
      "GET status": () => (up ? statusOf([]) : json({ message: "Service Unavailable" }, 503)),
    });
    show(Stripe);
    await within(statusCard()).findByText("Active");
    up = false;
    await vi.advanceTimersByTimeAsync(90_000);
    expect(within(statusCard()).queryByText("Active")).toBeNull();
    expect(statusCard().textContent).toMatch(/Not known yet.*it was “Active”/s);
    vi.useRealTimers();
  });

  test("is asked of Stripe now when somebody wants it, and what comes is shown", async () => {
    const broken = { ...statusOf([check("stripe_key_accepted", "failed")]), status: "error" };
    const asked = api({
      ...usual,
      "GET status": ({ query }) => (query.live ? broken : usual["GET status"]()),
    });
    const user = userEvent.setup();
    show(Stripe);
    await within(statusCard()).findByText("Active");
    await user.click(screen.getByRole("button", { name: "Check again now" }));
    expect(await within(statusCard()).findByText("Error")).toBeTruthy();
    expect(screen.getByRole("heading", { name: "Stripe does not accept the key" })).toBeTruthy();
    expect(asked.filter(({ query }) => query.live === "true")).toHaveLength(1);
  });
});

test("while nothing is registered, it leads to the set-up", async () => {
  api({ ...usual, "GET settings": () => noKey, "GET endpoints": () => ({ data: [], next_cursor: null }) });
  show(Stripe);
  const link = await screen.findByRole("link", { name: "Begin the set-up" });
  expect(link.getAttribute("href")).toBe("#/setup");
});

test("an endpoint goes only when its name is typed, and a refusal says what to do", async () => {
  const asked = api({
    ...usual,
    "DELETE endpoints/main": () =>
      json(refusal("change_in_progress", "a change is under way", undefined, "GET /endpoints/main"), 409),
  });
  const user = userEvent.setup();
  show(Stripe);
  await user.click(await screen.findByRole("button", { name: "Deregister main" }));
  const dialog = await screen.findByRole("alertdialog");
  const button = within(dialog).getByRole("button", { name: "Deregister" }) as HTMLButtonElement;
  expect(button.disabled).toBe(true);
  expect(dialog.textContent).toContain("after this nothing arrives any more");
  await user.type(within(dialog).getByLabelText("Type main to confirm"), "main");
  await user.click(button);
  const alert = await within(dialog).findByRole("alert");
  expect(alert.textContent).toContain(
    "Another change of this endpoint is under way. Look again in a minute.",
  );
  expect(asked.find(({ method }) => method === "DELETE")?.query).toEqual({ confirm: "main" });
});

describe("the rules", () => {
  test("ignore what is chosen, whole groups too", async () => {
    let now = settings();
    const asked = api({
      ...usual,
      "GET settings": () => now,
      "PATCH settings": ({ body }) => {
        now = { ...now, ...body };
        return now;
      },
    });
    const user = userEvent.setup();
    show(Stripe);
    await user.click(await screen.findByRole("button", { name: "Change: Ignored events" }));
    await user.type(screen.getByRole("searchbox"), "payout");
    await user.click(screen.getByRole("checkbox", { name: /payout\.\* — all/ }));
    await user.click(screen.getByRole("button", { name: "Save" }));
    expect(await screen.findByText("payout.*")).toBeTruthy();
    expect(asked.find(({ method }) => method === "PATCH")?.body).toEqual({ ignore: ["payout.*"] });
  });

  test("of trying again have bounds, which are told before anything is sent", () => {
    const typed = { attempts: "12", first_delay_s: "30", longest_delay_s: "3600" };
    expect(wrongRetry(typed)).toEqual({});
    expect(wrongRetry({ ...typed, attempts: "0" })).toHaveProperty("attempts");
    expect(wrongRetry({ ...typed, attempts: "1e1" })).toHaveProperty("attempts");
    expect(wrongRetry({ ...typed, first_delay_s: "3601" })).toHaveProperty("first_delay_s");
    expect(wrongRetry({ ...typed, longest_delay_s: "29" })).toHaveProperty("longest_delay_s");
  });
});

test("a viewer sees the status, the webhooks, the key's hint and the rules, and can change none", async () => {
  await signedIn({ "cognito:groups": ["viewer"] });
  api({ ...usual, "GET status": () => statusOf([], [check("at_stripe", "failed")]) });
  const { container } = show(Stripe);
  await screen.findByText("rk_test_…mple");
  expect(await screen.findByRole("heading", { name: "Stripe does not know it" })).toBeTruthy();
  const buttons = screen.getAllByRole("button").map((button) => button.textContent?.trim() || "copy");
  expect(buttons.filter((name) => name !== "Check again now" && name !== "copy")).toEqual([]);
  expect(container.querySelector("input")).toBeNull();
});
