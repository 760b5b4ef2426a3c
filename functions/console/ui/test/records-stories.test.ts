// What a record comes to in a sentence: why an invoice is unpaid, until when a subscription runs, by when a dispute
// wants an answer, whether a refund went through.
import { describe, expect, test } from "vitest";
import { lacksPayment, likelyOf } from "../src/pages/records/likely-payment.ts";
import type { AnyRecord } from "../src/pages/records/record.ts";
import { storyOf } from "../src/pages/records/story/story.ts";
import { payment, record } from "./help/records.ts";

const NOW = Date.UTC(2026, 10, 24, 12);
const seconds = NOW / 1000;
const DAY = 86_400;

function told(of: AnyRecord, payments: AnyRecord[] = []) {
  return storyOf({ record: of, payments, now: NOW });
}

/** The facts of a story by their names. */
function facts(of: AnyRecord, payments: AnyRecord[] = []) {
  const pairs = told(of, payments)?.facts.map(({ name, ...rest }) => [name, Object.values(rest)[0]]) ?? [];
  return Object.fromEntries(pairs) as Record<string, unknown>;
}

describe("an unpaid invoice says why", () => {
  const open = (object: object) =>
    record("invoices", { status: "open", object: { amount_remaining: 2000, ...object } });
  const declined = payment({
    state: "failed",
    status: "requires_payment_method",
    object: {
      last_payment_error: { code: "card_declined", decline_code: "do_not_honor", message: "Declined." },
    },
  });

  test("its attempts failed, what the bank said, and when it is tried again", () => {
    const invoice = open({ attempt_count: 2, next_payment_attempt: seconds + DAY });
    expect(told(invoice, [declined])).toMatchObject({ tone: "bad", says: "Not paid: 2 attempts failed." });
    expect(facts(invoice, [declined])).toMatchObject({
      "What the bank said": "Declined.",
      Code: "do_not_honor",
      "Next try": seconds + DAY,
      "Still due": 2000,
      "Last payment": "pi_1",
    });
  });

  test("Stripe does not try again", () => {
    expect(facts(open({ attempt_count: 4, next_payment_attempt: null }))["Next try"]).toMatch(
      /does not try again/,
    );
  });

  test("the newest payment counts, and a failed charge speaks where the payment is silent", () => {
    const older = payment({ id: "pi_0", object: { created: 1, last_payment_error: { message: "Old." } } });
    const charge = record("charges", { status: "failed", object: { failure_message: "Expired card." } });
    const newer = payment({ state: "failed", object: { created: 2 }, charges: [charge] });
    expect(facts(open({ attempt_count: 1 }), [older, newer])["What the bank said"]).toBe("Expired card.");
  });

  test("a payment is on its way, or waits for the customer", () => {
    expect(told(open({ attempt_count: 1 }), [payment({ status: "processing" })])?.says).toMatch(/on its way/);
    expect(told(open({ attempt_count: 1 }), [payment({ status: "requires_action" })])?.says).toMatch(
      /confirm/,
    );
  });

  test("it was sent, and is overdue once its day is over", () => {
    const sent = (due: number) =>
      open({ collection_method: "send_invoice", attempt_count: 0, due_date: due });
    expect(told(sent(seconds + DAY))).toMatchObject({ tone: "waiting", says: expect.stringMatching(/Sent/) });
    expect(told(sent(seconds - DAY))).toMatchObject({ tone: "bad", says: expect.stringMatching(/overdue/) });
  });

  test("nothing was tried yet", () => {
    expect(told(open({ attempt_count: 0 }))?.says).toMatch(/no payment was tried/);
  });
});

describe("an unpaid invoice to which nothing joins a payment", () => {
  const invoice = record("invoices", {
    status: "open",
    customer: "cus_1",
    object: { attempt_count: 1, amount_remaining: 2500, created: 100 },
  });
  const failed = (fields: Record<string, unknown>) =>
    payment({ state: "failed", object: { created: 101 }, ...fields });

  test("takes the newest unpaid one of the customer's of the same sum, made since", () => {
    const newest = failed({ id: "pi_2", object: { created: 105 } });
    const others = [
      failed({ id: "pi_3", amount: 2501 }),
      failed({ id: "pi_4", currency: "usd" }),
      failed({ id: "pi_5", object: { created: 99 } }),
      payment({ id: "pi_6", object: { created: 110 } }),
    ];
    expect(likelyOf(invoice, [failed({}), newest, ...others])?.id).toBe("pi_2");
    expect(likelyOf(invoice, others)).toBeNull();
  });

  test("says that this is a guess", () => {
    const likely = failed({ object: { created: 101, last_payment_error: { message: "Declined." } } });
    const story = storyOf({ record: invoice, payments: [], likely, now: NOW });
    expect(story?.facts).toContainEqual({ name: "What the bank said", foreign: "Declined." });
    expect(story?.facts).toContainEqual({
      name: "Probably this payment (same customer and sum)",
      id: "pi_1",
    });
  });

  test("is looked for only where a payment was tried, and none is known", () => {
    expect(lacksPayment(invoice, 0)).toBe(true);
    expect(lacksPayment(invoice, 1)).toBe(false);
    expect(lacksPayment(record("invoices", { status: "paid", object: { attempt_count: 1 } }), 0)).toBe(false);
  });
});

test("other invoices say what they are", () => {
  const of = (status: string, object: object = {}) => told(record("invoices", { status, object }))?.says;
  expect(of("paid")).toBe("Paid.");
  expect(of("paid", { paid_out_of_band: true })).toMatch(/outside of Stripe/);
  expect(of("draft")).toMatch(/draft/);
  expect(of("void")).toMatch(/Voided/);
  expect(of("uncollectible")).toMatch(/can still be paid/);
  expect(of("of_a_later_release")).toBeUndefined();
});

describe("a subscription says whether it is active, and until when", () => {
  const of = (status: string, object: object = {}) => record("subscriptions", { status, object });

  test("by the end of its first item's period, or its own in old versions", () => {
    const items = { data: [{ current_period_end: seconds + 9 }, { current_period_end: seconds + 5 }] };
    expect(facts(of("active", { items })).Renews).toBe(seconds + 5);
    expect(facts(of("active", { current_period_end: seconds + 7 })).Renews).toBe(seconds + 7);
  });

  test("that it ends, where that is decided", () => {
    const leaving = of("active", { cancel_at_period_end: true, current_period_end: seconds + 7 });
    expect(told(leaving)).toMatchObject({ tone: "warn", says: expect.stringMatching(/ends for good/) });
    expect(facts(leaving).Ends).toBe(seconds + 7);
    expect(facts(of("active", { cancel_at: seconds + 3, current_period_end: seconds + 7 })).Ends).toBe(
      seconds + 3,
    );
  });

  test("that it is not paid, paused, in trial, or over", () => {
    expect(told(of("past_due", { latest_invoice: "in_1" }))).toMatchObject({
      tone: "bad",
      facts: [{ id: "in_1" }],
    });
    expect(told(of("active", { pause_collection: { behavior: "void" } }))?.says).toMatch(/not collected/);
    expect(facts(of("trialing", { trial_end: seconds + 1 }))["Trial ends"]).toBe(seconds + 1);
    expect(facts(of("canceled", { ended_at: seconds - 1 })).Ended).toBe(seconds - 1);
  });
});

describe("a dispute says whether it wants an answer, and by when", () => {
  const of = (status: string, due_by: number | null = seconds + 3 * DAY) =>
    record("disputes", {
      status,
      object: { amount: 2000, reason: "fraudulent", evidence_details: { due_by } },
    });

  test("while there is time", () => {
    expect(told(of("needs_response"))?.says).toBe("Needs an answer: 3 d left.");
    expect(told(of("warning_needs_response"))?.says).toMatch(/The bank asks.*3 d left/);
    expect(told(of("needs_response", null))?.says).toBe("Needs an answer.");
    expect(facts(of("needs_response"))).toMatchObject({ "Answer by": seconds + 3 * DAY, About: 2000 });
  });

  test("when it is late, answered or decided", () => {
    expect(told(of("needs_response", seconds - 1))?.says).toMatch(/over/);
    expect(told(of("under_review"))?.tone).toBe("waiting");
    expect(told(of("won"))?.tone).toBe("good");
    expect(told(of("lost"))?.tone).toBe("bad");
  });
});

test("a refund says whether the money went back, and by what the bank finds it", () => {
  const of = (status: string, object: object = {}) => record("refunds", { status, object });
  const destination_details = { type: "card", card: { reference: "ARN 1" } };
  expect(told(of("succeeded"))?.tone).toBe("good");
  expect(facts(of("succeeded", { payment_intent: "pi_1", destination_details }))).toMatchObject({
    "Of the payment": "pi_1",
    "Reference at the bank": "ARN 1",
  });
  expect(told(of("failed", { failure_reason: "lost_or_stolen_card" }))).toMatchObject({
    tone: "bad",
    facts: [{ text: "Lost or stolen card" }],
  });
});

test("a payment says how much of it was given back, to the last digit", () => {
  const huge = payment({
    state: "partially_refunded",
    amount_captured: 9007199254740993n,
    amount_refunded: 1,
  });
  expect(told(huge)?.says).toBe(
    "Partly refunded: €0.01 of €90,071,992,547,409.93 were given back, €90,071,992,547,409.92 stay.",
  );
  const refunded = payment({ state: "refunded", amount_refunded: 2500 });
  expect(told(refunded)?.says).toBe("Refunded in full: all €25.00 were given back.");
});

test("a payment names refunds that failed, or are not through yet", () => {
  const refunds = [
    record("refunds", { id: "re_1", status: "failed" }),
    record("refunds", { id: "re_2", status: "pending" }),
    record("refunds", { id: "re_3", status: "succeeded" }),
  ];
  expect(facts(payment({ state: "partially_refunded", amount_refunded: 5, refunds }))).toEqual({
    "Refund that failed": "re_1",
    "Refund not through yet": "re_2",
  });
});

test("a customer who owes says so", () => {
  expect(told(record("customers", { object: { delinquent: true } }))?.says).toMatch(/unpaid/);
  expect(facts(record("customers", { object: { balance: -500 } }))["Their credit"]).toBe(500n);
  expect(told(record("customers", { object: { balance: 0, delinquent: false } }))).toBeNull();
});

test("there is no story of a kind that a later release adds", () => {
  expect(told(record("gift_vouchers", { status: "paid" }))).toBeNull();
  expect(told(record("constructor", { status: "paid" }))).toBeNull();
});
