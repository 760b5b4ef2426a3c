// Needs attention: hours left, sums that mix nothing, and "none" only where all was read.
import { screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";
import { setZone } from "../src/format/zone.svelte.ts";
import Attention from "../src/pages/attention/attention.svelte";
import { cardsThatPay, endsSoon } from "../src/pages/attention/cards.ts";
import { hoursLeft, timeLeft } from "../src/pages/attention/due.ts";
import {
  amountOf,
  disputesDue,
  lastTryFailed,
  notArrived,
  priceOf,
  stillActionable,
  sums,
} from "../src/pages/attention/pick.ts";
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

  test("payouts are those that failed, and those not there a day after their date", () => {
    const payout = (id: string, status: string, day: string) =>
      record("payouts", id, { status, object: { arrival_date: at(`${day}T00:00:00Z`) / 1000 } });
    const found = notArrived(
      [
        payout("late", "in_transit", "2026-11-27"),
        payout("today", "in_transit", "2026-11-30"),
        payout("failed", "failed", "2026-11-20"),
        payout("later", "pending", "2026-11-28"),
        payout("paid", "paid", "2026-11-01"),
      ],
      at("2026-11-30T12:00:00Z"),
    );
    expect(found.map(({ id }) => id)).toEqual(["failed", "later", "late"]);
  });

  test("fraud warnings are those about which something can be done", () => {
    const warning = (id: string, actionable: unknown) =>
      record("early_fraud_warnings", id, { object: { actionable } });
    const found = stillActionable([warning("a", true), warning("b", false), warning("c", "true")]);
    expect(found.map(({ id }) => id)).toEqual(["a"]);
  });

  test("a card ends soon in this month and the next, over the end of a year too", () => {
    const ends = (exp_year: unknown, exp_month: unknown, customer: string | null = "cus_1") =>
      endsSoon(
        record("payment_methods", "pm_1", { customer, object: { card: { exp_year, exp_month } } }),
        at("2026-12-15T12:00:00Z"),
      );
    expect([ends(2026, 11), ends(2026, 12), ends(2027, 1), ends(2027, 2)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(ends(2026, 12, null)).toBe(false);
    expect(ends(undefined, undefined)).toBe(false);
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

  describe("cards about to expire", () => {
    const now = at("2026-11-30T12:00:00Z");
    const card = (id: string, customer: string, month = 12) =>
      record("payment_methods", id, {
        customer,
        object: { card: { brand: "visa", last4: "4242", exp_year: 2026, exp_month: month } },
      });
    const subscription = (id: string, status: string, default_payment_method: string | null) =>
      record("subscriptions", id, { status, object: { default_payment_method } });
    const theirs: Record<string, unknown[]> = {
      cus_own: [subscription("sub_own", "active", "pm_own"), subscription("sub_over", "canceled", "pm_own")],
      cus_usual: [subscription("sub_usual", "active", null)],
      cus_other: [subscription("sub_other", "active", "pm_other")],
      cus_over: [subscription("sub_ended", "canceled", "pm_over")],
    };
    const answers = {
      "GET records/subscriptions": ({ query }: Asked) => page(theirs[query.customer ?? ""] ?? [], null),
      "GET records/customers": ({ query }: Asked) =>
        page(
          [
            record("customers", query.customer ?? "", {
              object: { name: "Anna", invoice_settings: { default_payment_method: "pm_usual" } },
            }),
          ],
          null,
        ),
    };

    test("are those that pay: by the subscription’s own default, else by the customer’s", async () => {
      const asked = api(answers);
      const found = await cardsThatPay(
        [
          card("pm_own", "cus_own"),
          card("pm_usual", "cus_usual"),
          card("pm_spare", "cus_other"),
          card("pm_over", "cus_over"),
          card("pm_long", "cus_own", 6),
        ],
        new AbortController().signal,
        now,
      );
      expect(found.map(({ id, pays }) => [id, pays.map((one) => one.id)])).toEqual([
        ["pm_own", ["sub_own"]],
        ["pm_usual", ["sub_usual"]],
      ]);
      // A customer is asked for only where a subscription has no card of its own.
      const customers = asked.filter(({ path }) => path === "records/customers");
      expect(customers.map(({ query }) => query.customer)).toEqual(["cus_usual"]);
    });

    test("are shown with what they pay, and none only where all were looked through", async () => {
      const [year, month] = [new Date().getFullYear(), new Date().getMonth() + 1];
      const own = card("pm_own", "cus_own");
      Object.assign((own.object as { card: object }).card, { exp_year: year, exp_month: month });
      api({ ...answers, "GET records/payment_methods": () => page([own], null) });
      show(Attention);
      const link = await screen.findByRole("link", { name: "sub_own" });
      expect(link.getAttribute("href")).toBe("#/records/subscriptions/sub_own");
      expect(section("Cards about to expire").textContent).toContain("Visa ending in 4242");
      expect(section("Early fraud warnings").textContent).toContain("None.");
    });
  });

  test("shows payouts that failed, with why, and warnings with their payment", async () => {
    api({
      "GET records/payouts": ({ query }) =>
        page(
          query.status === "failed"
            ? [
                record("payouts", "po_1", {
                  status: "failed",
                  object: {
                    amount: 4850,
                    failure_message: "The account is closed.",
                    arrival_date: 1_793_664_000,
                  },
                }),
              ]
            : [],
          null,
        ),
      "GET records/early_fraud_warnings": () =>
        page(
          [
            record("early_fraud_warnings", "issfr_1", {
              object: { actionable: true, fraud_type: "unauthorized_use_of_card", payment_intent: "pi_1" },
            }),
          ],
          null,
        ),
    });
    show(Attention);
    await screen.findByRole("link", { name: "po_1" });
    const payouts = section("Payouts that failed or are late").textContent ?? "";
    for (const said of ["Failed", "€48.50", "The account is closed.", "Nov 3, 2026"])
      expect(payouts).toContain(said);
    await expect
      .poll(() => section("Early fraud warnings").textContent)
      .toContain("Unauthorized use of card");
    expect(section("Early fraud warnings").textContent).toContain("pi_1");
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
