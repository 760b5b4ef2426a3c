// Records: where a search leads, what a record is called, where it is linked to, and that no id breaks a link.
import { beforeEach, describe, expect, test } from "vitest";
import type { Kind } from "../src/api/kinds.ts";
import { to } from "../src/links.ts";
import { columnsOf } from "../src/pages/records/columns.ts";
import { dashboardPage } from "../src/pages/records/dashboard.ts";
import { asked } from "../src/pages/records/filters.ts";
import { flagsOf } from "../src/pages/records/flags.ts";
import { monthStart, paidSince } from "../src/pages/records/paid.ts";
import { partsOf } from "../src/pages/records/parts-of.ts";
import { paymentSums } from "../src/pages/records/payment-sums.ts";
import { amountOf, eventsPage, isPayment, labelsOf, nameOf, stateOf } from "../src/pages/records/record.ts";
import { type KnownObject, linkedOf, linkedOfLine } from "../src/pages/records/references.ts";
import { goesOn } from "../src/pages/records/search-state.ts";
import { searched, targetOf } from "../src/pages/records/search-target.ts";
import { kinds, payment, record } from "./help/records.ts";
import { signedIn } from "./help/session.ts";

const kind = (name: string) => kinds.find((one) => one.kind === name) as Kind;

beforeEach(async () => {
  await signedIn();
});

describe("what is looked for", () => {
  test("leads to the event, or to the record of the kind that its beginning names", () => {
    expect(targetOf(" evt_1 ", kinds)).toEqual({ page: "#/events/evt_1" });
    expect(targetOf("in_1", kinds)).toEqual({ page: "#/records/invoices/in_1" });
    expect(targetOf("inpay_1", kinds)).toEqual({ page: "#/records/invoice_payments/inpay_1" });
    expect(targetOf("py_1", kinds)).toEqual({ page: "#/records/charges/py_1" });
  });

  test("is searched for everywhere if it is no id", () => {
    for (const text of ["anna@example.com", "in_voice@example.com", "Anna", "in", "cus", "SYN-0001", "evt"]) {
      expect(targetOf(text, kinds)).toEqual({ text });
    }
    expect(targetOf("we_1", kinds)).toEqual({ text: "we_1" });
  });

  test("is searched for everywhere where several kinds could be meant", () => {
    const twice = [...kinds, { ...kind("invoices"), kind: "old_invoices" }];
    expect(targetOf("in_1", twice)).toEqual({ text: "in_1" });
  });

  test("breaks nothing with half a character", () => {
    expect(targetOf("cus_\ud800", kinds)).toEqual({ page: "#/records/customers/cus_%EF%BF%BD" });
  });

  test("is looked for among customers first", () => {
    expect(searched([...kinds].reverse()).map((one) => one.kind)[0]).toBe("customers");
    expect(searched(kinds)).toHaveLength(kinds.length);
  });

  test("is read on for by itself within bounds, and further only when somebody asks", () => {
    expect(goesOn(0, 1, 1)).toBe(true);
    expect(goesOn(10, 1, 1)).toBe(false);
    expect(goesOn(0, 5, 1)).toBe(false);
    expect(goesOn(0, 5, 2)).toBe(true);
  });
});

describe("an id that a merchant chose", () => {
  const ids = ["a/b", "a b", "100%", "%2F", "ä🎈", "?q=#x", "<script>", "x".repeat(700)];

  test.each(ids)("is whole again after its link: %s", (id) => {
    const [, , kindPart, idPart] = to.record("customers", id).split("/");
    expect(kindPart).toBe("customers");
    expect(idPart).not.toMatch(/[?#\s]/);
    expect(decodeURIComponent(idPart ?? "")).toBe(id);
  });

  test("is found among the events of its kind", () => {
    expect(eventsPage(record("customers", { id: "a/b" }), kind("customers"))).toBe(
      "#/events?object=customer%2Fa%2Fb",
    );
  });
});

describe("a record", () => {
  test("is called by the first label that it has, else by its id", () => {
    const invoice = record("invoices", { object: { number: null, customer_email: "anna@example.com" } });
    expect(nameOf(invoice, kind("invoices"))).toBe("anna@example.com");
    expect(nameOf(record("invoices", { object: {} }), kind("invoices"))).toBe("in_1");
    expect(labelsOf(record("customers", { object: { name: " ", email: 7 } }), kind("customers"))).toEqual([]);
  });

  test("of a payment has the payment's own state and sum, all others Stripe's", () => {
    expect(stateOf(payment({ state: "partially_refunded" }))?.word).toBe("Partially refunded");
    expect(stateOf(record("subscriptions", { status: "past_due" }))?.word).toBe("Past due");
    expect(stateOf(record("customers", {}))).toBeNull();
    expect(amountOf(record("invoices", { object: { total: 9007199254740993n } }), kind("invoices"))).toBe(
      9007199254740993n,
    );
    expect(amountOf(record("invoices", { object: { total: 1.5 } }), kind("invoices"))).toBeNull();
  });

  test("says in a sentence what is special about it", () => {
    const words = (fields: Record<string, unknown>) =>
      flagsOf(record("customers", fields)).map((flag) => flag.word);
    expect(words({})).toEqual([]);
    expect(words({ deleted: true, erased: true })).toEqual(["Deleted", "Erased"]);
    expect(words({ complete: false, incomplete_reason: "fetching" })).toEqual(["Being completed"]);
    expect(words({ complete: false, incomplete_reason: "too_large" })).toEqual(["Not whole"]);
    expect(words({ complete: false, incomplete_reason: "refused" })).toEqual(["Not whole"]);
    expect(words({ complete: false, incomplete_reason: "gone", deleted: true })).toEqual(["Deleted"]);
    expect(words({ order_uncertain: true })).toEqual(["Order uncertain"]);
    expect(words({ order_uncertain: true, gone_at_stripe: true })).toEqual(["Gone at Stripe"]);
  });

  const known = (kind: string, id: string, label: string | null, rest: Partial<KnownObject> = {}) => ({
    kind,
    id,
    label,
    here: true,
    deleted: false,
    ...rest,
  });
  const gold = known("products", "prod_1", "Gold");

  test("leads to what it names, by the names that people know, and to what the API found out, each once", () => {
    const invoice = record("invoices", {
      references: [
        { member: "customer", ...known("customers", "cus_1", "Anna"), called_after: null },
        {
          member: "subscription",
          ...known("subscriptions", "sub_1", null, { here: false }),
          called_after: null,
        },
        { member: "lines.data.price", ...known("prices", "price_1", null), called_after: gold },
      ],
      payments: ["pi_1", "ch_1"],
      subscription: "sub_1",
    });
    const found = { names: [], here: null, deleted: false };
    expect(linkedOf(invoice, kinds)).toEqual([
      { kind: "customers", id: "cus_1", names: ["Anna"], here: true, deleted: false },
      { kind: "subscriptions", id: "sub_1", names: [], here: false, deleted: false },
      { kind: "payments", id: "pi_1", ...found },
      { kind: "payments", id: "ch_1", ...found },
    ]);
    expect(linkedOf(record("customers"), kinds)).toEqual([]);
  });

  test("calls a price by its product's name and its own, each once", () => {
    const names = (label: string | null, called_after: KnownObject | null) => {
      const references = [{ member: "items.data.price", ...known("prices", "p", label), called_after }];
      return linkedOf(record("subscriptions", { references }), kinds)[0]?.names;
    };
    expect(names("Monthly", gold)).toEqual(["Gold", "Monthly"]);
    expect(names("Gold", gold)).toEqual(["Gold"]);
    expect(names("Monthly", { ...gold, label: null })).toEqual(["Monthly"]);
    expect(names(null, null)).toEqual([]);
  });

  test("leads from each line of an invoice to its product and its price, told or not", () => {
    const all = [
      ...kinds,
      ...["products", "prices", "plans"].map((name) => ({ ...kind("refunds"), kind: name })),
    ];
    const [price, product] = ["pricing.price_details.price", "pricing.price_details.product"];
    const invoice = record("invoices", {
      references: [
        { member: `lines.data.${price}`, ...known("prices", "price_1", "Monthly"), called_after: gold },
        { member: `lines.data.${product}`, ...gold, called_after: null },
        { member: "lines.data.price", ...known("prices", "old", null), called_after: null },
        { member: "lines.data.plan", ...known("plans", "old", null), called_after: null },
      ],
    });
    const of = (line: object) =>
      linkedOfLine(line, invoice, all).map(({ kind, id, names, here }) => [kind, id, ...names, here]);
    expect(of({ pricing: { price_details: { price: "price_1", product: "prod_1" } } })).toEqual([
      ["products", "prod_1", "Gold", true],
      ["prices", "price_1", "Gold", "Monthly", true],
    ]);
    expect(of({ pricing: { price_details: { price: "price_9", product: null } } })).toEqual([
      ["prices", "price_9", null],
    ]);
    expect(of({ price: { id: "old" }, plan: { id: "old" } })).toEqual([["prices", "old", true]]);
    expect(of({ pricing: null })).toEqual([]);
    expect(linkedOfLine(null, record("invoices"), all)).toEqual([]);
  });

  test("leads to Stripe's dashboard by an address of ours alone", () => {
    const page = (name: string, fields: Record<string, unknown>) => dashboardPage(record(name, fields));
    expect(page("invoices", {})).toBe("https://dashboard.stripe.com/test/invoices/in_1");
    expect(page("refunds", { object: { object: "refund", payment_intent: "pi_1" } })).toBe(
      "https://dashboard.stripe.com/test/payments/pi_1",
    );
    expect(page("customers", { id: "../x?y#z" })).toBeNull();
    expect(page("customers", { id: "x?y#z" })).toBe("https://dashboard.stripe.com/test/customers/x%3Fy%23z");
    expect(page("invoices", { account: "acct_1" })).toBe(
      "https://dashboard.stripe.com/test/connect/accounts/acct_1",
    );
    expect(page("unicorns", { object: { object: "unicorn", url: "javascript:alert(1)" } })).toBeNull();
  });
});

describe("a kind that a later release adds", () => {
  const payouts: Kind = {
    kind: "payouts",
    object: "payout",
    id_prefixes: ["po"],
    statuses: ["paid"],
    amount: "amount",
    labels: ["description"],
    references: [],
    listed: true,
    by_customer: false,
    permission: "rak_payout_read",
  };

  test("is found, and its list has the columns that its description gives", () => {
    expect(targetOf("po_1", [...kinds, payouts])).toEqual({ page: "#/records/payouts/po_1" });
    expect(columnsOf(payouts)).toEqual(["name", "state", "amount", "created", "as_of"]);
    expect(columnsOf(kind("customers"))).toEqual(["name", "created", "as_of"]);
    expect(columnsOf(kind("invoice_payments"))).not.toContain("customer");
  });

  test("stands on a customer's page where the API puts it there", () => {
    const payout = record("payouts", { id: "po_1" });
    const customer = record("customers", { payouts: [payout], invoices: [] });
    expect(partsOf(customer, [...kinds, payouts])).toEqual([
      { kind: "invoices", records: [] },
      { kind: "payouts", records: [payout] },
    ]);
  });
});

describe("sums", () => {
  test("of a payment name the parts that make them", () => {
    const charge = record("charges", { object: { amount: 2500, amount_captured: 2000 } });
    const failed = record("charges", { id: "ch_2", status: "failed", object: { amount: 2500 } });
    const refund = record("refunds", { object: { amount: 500 } });
    const whole = payment({
      amount_captured: 2000,
      amount_refunded: 500,
      charges: [charge, failed],
      refunds: [refund],
    });
    const sums = paymentSums(whole);
    expect(sums.map(({ name, amount }) => [name, amount])).toEqual([
      ["captured", 2000],
      ["refunded", 500],
      ["disputed", 0],
    ]);
    expect(sums[0]?.parts.map(({ amount }) => amount)).toEqual([2000, 0]);
    expect(sums[1]?.parts).toEqual([{ record: refund, amount: 500 }]);
  });

  test("of a month are exact, by currency, and leave older payments out", () => {
    const at = (created: number, fields: object) => payment({ object: { created }, ...fields });
    const all = [
      at(200, { amount_captured: 9007199254740993n, amount_refunded: 1 }),
      at(150, { amount_captured: 500, amount_refunded: 500, currency: "jpy" }),
      at(150, { amount_captured: 0 }),
      at(99, { amount_captured: 700 }),
    ];
    expect(paidSince(all, 100)).toMatchObject([
      { currency: "eur", taken: 9007199254740993n, back: 1n, from: [all[0]] },
      { currency: "jpy", taken: 500n, back: 500n, from: [all[1]] },
    ]);
  });

  test("of a month begin with its first second", () => {
    expect(monthStart(Date.UTC(2026, 10, 30, 12), "utc")).toBe(Date.UTC(2026, 10, 1) / 1000);
  });

  test("are there only where a payment has them", () => {
    expect(isPayment(record("charges", {}))).toBe(false);
    expect(isPayment(payment({}))).toBe(true);
  });
});

test("filters that are not set are not sent, and none is longer than the API takes", () => {
  expect(asked({ search: " ", status: "paid", customer: "", account: "" })).toEqual({ status: "paid" });
  expect(asked({ search: "🎈".repeat(201), status: "", customer: "", account: "" }).search).toBe(
    "🎈".repeat(200),
  );
});
