// Needs attention: hours left, sums that mix nothing, and "none" only where all was read.
import { screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";
import { setZone } from "../src/format/zone.svelte.ts";
import Attention from "../src/pages/attention/attention.svelte";
import { hoursLeft, timeLeft } from "../src/pages/attention/due.ts";
import { amountOf, disputesDue, lastTryFailed, priceOf, sums } from "../src/pages/attention/pick.ts";
import { type Asked, api } from "./help/api.ts";
import { record, status } from "./help/samples.ts";
import { json, signedIn } from "./help/session.ts";
import { show } from "./help/show.ts";

const HOUR = 3600;
const at = (text: string) => Date.parse(text);

describe("hours left for evidence", () => {
  const due = at("2026-11-30T23:59:59Z") / 1000;

  test("are whole hours, and the begun one does not count", () => {
    expect(hoursLeft(due, at("2026-11-30T00:00:00Z"))).toBe(23);
    expect(hoursLeft(due, at("2026-11-30T22:59:59Z"))).toBe(1);
    expect(hoursLeft(due, at("2026-11-30T23:00:00Z"))).toBe(0);
    expect(hoursLeft(due, at("2026-12-01T00:00:00Z"))).toBe(-1);
    expect(hoursLeft(null, 0)).toBeNull();
  });

  test("are the same in every zone, and over the night in which clocks are set back", () => {
    // 2026-10-25, 01:00 UTC: clocks in Berlin go from 03:00 to 02:00. Local dates differ by 25 h, hours do not.
    const deadline = at("2026-10-26T00:00:00+01:00") / 1000;
    expect(hoursLeft(deadline, at("2026-10-25T00:00:00+02:00"))).toBe(25);
    for (const zone of ["local", "utc"] as const) {
      setZone(zone);
      expect(timeLeft(deadline, at("2026-10-25T00:00:00+02:00")).word).toBe("25 hours left");
    }
    setZone("local");
  });

  test("grow urgent in words as in colour, and one that is over is never a number", () => {
    const words = [100, 72, 71, 24, 23, 1, 0.5, -0.1].map((hours) =>
      timeLeft(due, (due - hours * HOUR) * 1000),
    );
    expect(words.map(({ word, tone }) => `${word}, ${tone}`)).toEqual([
      "4 days left, calm",
      "3 days left, calm",
      "71 hours left, warn",
      "24 hours left, warn",
      "23 hours left, bad",
      "1 hour left, bad",
      "Less than an hour left, bad",
      "The deadline is over, bad",
    ]);
  });
});

describe("records that need attention", () => {
  test("disputes come by their deadline, those without one last, deleted ones not", () => {
    const dispute = (id: string, due_by: number | null, deleted = false) =>
      record("disputes", id, { deleted, object: { evidence_details: { due_by } } });
    const sorted = disputesDue([
      dispute("a", null),
      dispute("b", 20),
      dispute("c", 10),
      dispute("d", 1, true),
    ]);
    expect(sorted.map(({ id }) => id)).toEqual(["c", "b", "a"]);
  });

  test("invoices are those that were tried, and those without a next try come first", () => {
    const invoice = (id: string, attempt_count: number, next_payment_attempt: number | null) =>
      record("invoices", id, { status: "open", object: { attempt_count, next_payment_attempt } });
    const found = lastTryFailed([
      invoice("new", 0, 5),
      invoice("later", 2, 9),
      invoice("soon", 1, 5),
      invoice("never", 4, null),
    ]);
    expect(found.map(({ id }) => id)).toEqual(["never", "soon", "later"]);
  });

  test("sums never mix currencies and lose no digit", () => {
    const refund = (currency: string, amount: unknown) =>
      record("refunds", "re_1", { currency, object: { amount } });
    const found = sums(
      [
        refund("eur", 9007199254740993n),
        refund("EUR", 1),
        refund("jpy", 5),
        refund("usd", "7"),
        refund("usd", 1.5),
      ],
      (one) => amountOf(one, "amount"),
    );
    expect(found).toEqual([
      { currency: "eur", amount: 9007199254740994n },
      { currency: "jpy", amount: 5n },
    ]);
  });

  test("a price is shown only where it is one", () => {
    const subscription = (...items: unknown[]) =>
      record("subscriptions", "sub_1", { object: { items: { data: items } } });
    const item = (unit_amount: unknown, interval: string, quantity = 2) => ({
      quantity,
      price: { unit_amount, recurring: { interval, interval_count: 1 } },
    });
    expect(priceOf(subscription(item(500, "month"), item(100, "month", 1)))).toMatchObject({ amount: 1100n });
    expect(priceOf(subscription(item(500, "month"), item(100, "year")))).toBeNull();
    expect(priceOf(subscription(item(null, "month")))).toBeNull();
    expect(priceOf(subscription())).toBeNull();
  });
});

describe("the page", () => {
  beforeEach(async () => {
    await signedIn();
  });

  const section = (name: string) => screen.getByRole("region", { name });
  const REFUNDS = "Refunds that did not go through";
  const page = (data: unknown[], next_cursor: string | null) => ({ data, next_cursor });

  test("says none where the whole list was read, through short and empty pages", async () => {
    const asked = api({
      "GET records/refunds": ({ query }) => page([], query.cursor ? null : `after ${query.status}`),
    });
    show(Attention);
    await expect.poll(() => section(REFUNDS).textContent).toContain("None.");
    const refunds = asked.filter(({ path }) => path === "records/refunds");
    expect(refunds.map(({ query }) => [query.status, query.cursor])).toEqual([
      ["failed", undefined],
      ["failed", "after failed"],
      ["requires_action", undefined],
      ["requires_action", "after requires_action"],
    ]);
  });

  test("never says none of a list that was not read to its end, and reads on when told to", async () => {
    const user = userEvent.setup();
    let hold: (() => void) | undefined;
    let held = true;
    api({
      "GET records/refunds": ({ query }: Asked) => {
        if (query.status === "failed" && query.cursor && held) {
          return new Promise((done) => {
            hold = () => done(page([], "on and on"));
          });
        }
        return page([], query.status === "failed" && !query.cursor ? "on" : null);
      },
    });
    show(Attention);
    const stop = await screen.findByRole("button", { name: "Stop looking" });
    expect(section(REFUNDS).textContent).toContain("Still looking through older records");
    expect(section(REFUNDS).textContent).not.toContain("None.");
    await user.click(stop);
    held = false;
    hold?.();
    await expect.poll(() => section(REFUNDS).textContent).toContain("None among the newest records");
    expect(section(REFUNDS).textContent).not.toContain("None.");
    await user.click(screen.getByRole("button", { name: "Look further" }));
    await expect.poll(() => section(REFUNDS).textContent).toContain("None.");
  });

  test("a list that fails says so, and not none", async () => {
    api({
      "GET records/refunds": () =>
        json({ error: { code: "forbidden", message: "no", request_id: "r" } }, 403),
    });
    show(Attention);
    await expect.poll(() => section(REFUNDS).textContent).toContain("You may not do this");
    expect(section(REFUNDS).textContent).not.toContain("None");
  });

  test("shows whose it is, how much, and the way to the record, with a sum for each currency", async () => {
    const dispute = (id: string, currency: string) =>
      record("disputes", id, {
        status: "needs_response",
        currency,
        object: {
          amount: 1250,
          reason: "fraudulent",
          evidence: { customer_name: "Anna <b>" },
          evidence_details: { due_by: Math.floor(Date.now() / 1000) + 30 * HOUR + 60 },
        },
      });
    api({
      "GET records/disputes": ({ query }) =>
        page(query.status === "needs_response" ? [dispute("dp_1", "eur"), dispute("dp_2", "jpy")] : [], null),
    });
    show(Attention);
    const link = await screen.findByRole("link", { name: "dp_1" });
    expect(link.getAttribute("href")).toBe("#/records/disputes/dp_1");
    const text = section("Disputes that need evidence").textContent ?? "";
    for (const said of ["30 hours left", "€12.50", "¥1,250", "Anna <b>", "Fraudulent"])
      expect(text).toContain(said);
    expect(section("Disputes that need evidence").querySelector("b")).toBeNull();
  });

  test("names the checks that are amiss, and what to do", async () => {
    const check = {
      code: "stripe_key_accepted",
      outcome: "failed",
      ok: false,
      severity: "error",
      summary: "Stripe does not accept the key",
      evidence: null,
      remedy: "PUT /settings/stripe-key",
    };
    api({
      "GET status": () => ({ ...status, checks: [check, { ...check, code: "clock", outcome: "unknown" }] }),
    });
    show(Attention);
    await expect.poll(() => section("Checks amiss").textContent).toContain("What to do");
    expect(section("Checks amiss").textContent).not.toContain("PUT /");
    expect(section("Checks amiss").querySelectorAll("li")).toHaveLength(1);
  });
});
