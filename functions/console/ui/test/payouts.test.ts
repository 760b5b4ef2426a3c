// Payouts: what is in a deposit, whether it adds up, and the way of a payment's money to the bank.
import { screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Kind } from "../src/api/kinds.ts";
import type { PayoutTransactions, Settlement, Transaction } from "../src/api/payouts.ts";
import * as csvFile from "../src/format/csv.ts";
import KindPage from "../src/pages/records/kind.svelte";
import { countRows, readCsv } from "../src/pages/records/payout/csv.ts";
import { addsUp, sumLines } from "../src/pages/records/payout/payout.ts";
import RecordPage from "../src/pages/records/record.svelte";
import { storyOf } from "../src/pages/records/story/story.ts";
import { isLate } from "../src/parts/arrival.ts";
import { members } from "../src/parts/webhook/evidence.ts";
import { type Asked, api } from "./help/api.ts";
import { faults } from "./help/axe.ts";
import { kinds, payment, record } from "./help/records.ts";
import { json, signedIn } from "./help/session.ts";
import { show } from "./help/show.ts";

const moneyKind = (kind: string, object: string, id_prefixes: string[], statuses: string[]): Kind => ({
  kind,
  object,
  id_prefixes,
  statuses,
  amount: "amount",
  labels: ["description"],
  references: [],
  listed: true,
  by_customer: false,
  permission: null,
});
const all = [
  ...kinds,
  moneyKind("payouts", "payout", ["po"], ["pending", "in_transit", "paid", "failed", "canceled"]),
  moneyKind("balance_transactions", "balance_transaction", ["txn"], ["pending", "available"]),
];

const sum = (type: string, count: number, amount: number, fee: number) => ({
  type,
  currency: "eur",
  count,
  amount,
  fee,
  net: amount - fee,
});

function listed(rest: Partial<PayoutTransactions> = {}): PayoutTransactions {
  return {
    state: "complete",
    message: "all transactions of this payout are here",
    as_of: "2026-11-04T02:00:00Z",
    count: 12,
    currency: "eur",
    amount: 5000,
    fee: 150,
    net: 4850,
    adds_up: true,
    difference: 0,
    sums: [sum("charge", 10, 6000, 150), sum("refund", 2, -1000, 0)],
    of_other_payouts: [],
    ...rest,
  };
}

function payout(rest: Record<string, unknown> = {}, object: Record<string, unknown> = {}) {
  return record("payouts", {
    id: "po_1",
    status: "paid",
    arrival_date: "2026-11-03T00:00:00Z",
    transactions: listed(),
    timeline: [],
    ...rest,
    object: {
      object: "payout",
      amount: 4850,
      automatic: true,
      trace_id: { status: "supported", value: "TRACE-77" },
      ...object,
    },
  });
}

function transaction(n: number, rest: Partial<Transaction> = {}): Transaction {
  return {
    id: `txn_${n}`,
    account: null,
    type: "charge",
    reporting_category: "charge",
    description: "Order 7",
    created: "2026-11-01T08:00:00Z",
    available_on: "2026-11-03T00:00:00Z",
    status: "available",
    currency: "eur",
    amount: 1000,
    fee: 59,
    net: 941,
    fee_details: [{ type: "stripe_fee", description: "Stripe fees", amount: 59, currency: "eur" }],
    source: "ch_1",
    charge: "ch_1",
    refund: null,
    dispute: null,
    payment: "pi_1",
    invoice: "in_1",
    customer: "cus_1",
    payout: "po_1",
    ...rest,
  };
}

const page = (data: unknown[], next_cursor: string | null = null) => ({ data, next_cursor });
const csv = (text: string, next: string | null) =>
  new Response(text, {
    headers: {
      "Content-Type": "text/csv; charset=utf-8",
      ...(next ? { Link: `<${next}>; rel="next"` } : {}),
    },
  });

async function at(hash: string) {
  location.hash = hash;
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

beforeEach(async () => {
  await signedIn();
  await at("#/records/payouts");
});

describe("a payout", () => {
  test("is late when over two days have passed since its date, while it is on its way", () => {
    const late = (status: string, now: string) => isLate(payout({ status }), Date.parse(now));
    expect(late("in_transit", "2026-11-05T00:00:00Z")).toBe(false);
    expect(late("in_transit", "2026-11-05T00:00:01Z")).toBe(true);
    expect(late("pending", "2026-11-09T00:00:00Z")).toBe(true);
    expect(late("paid", "2026-11-09T00:00:00Z")).toBe(false);
    expect(isLate(payout({ status: "pending", arrival_date: null }), Date.now())).toBe(false);
  });

  test("adds up, does not, or is not known: each as a word and a sign of its own", () => {
    expect(addsUp(listed())).toMatchObject({ word: "Adds up", tone: "good" });
    expect(addsUp(listed({ adds_up: false }))).toMatchObject({ word: "Does not add up", tone: "bad" });
    const waiting = listed({ adds_up: null, state: "waiting", message: "Stripe is still at it" });
    expect(addsUp(waiting)).toEqual({
      word: "Not known yet",
      tone: "unknown",
      hint: "Stripe is still at it",
    });
    expect(addsUp(listed({ adds_up: null, state: "not_listed" })).word).toBe("No list");
    expect(addsUp(undefined).word).toBe("Not known yet");
  });

  test("is the end of its sums: gross and fees make each net, and the nets make the payout", () => {
    const lines = sumLines(listed(), 4850, 0);
    expect(lines.map(({ name, amount, fees, net }) => [name, amount, fees, net])).toEqual([
      ["charge", 6000, -150n, 5850],
      ["refund", -1000, 0n, -1000],
      ["All together", 5000, -150n, 4850],
      ["This payout", null, null, 4850],
    ]);
    const off = sumLines(listed({ adds_up: false, net: 4900, difference: -50 }), 4850, null);
    expect(off.at(-1)).toMatchObject({ name: "Difference", net: -50 });
  });

  test("has its own fee between its sums and itself, so that the lines add up", () => {
    const lines = sumLines(listed(), 4800, 50);
    expect(lines.slice(-3).map(({ name, fees, net }) => [name, fees, net])).toEqual([
      ["All together", -150n, 4850],
      ["Fee of the payout itself", -50n, -50n],
      ["This payout", null, 4800],
    ]);
    const off = sumLines(listed({ adds_up: false, difference: -7 }), 4793, 50).slice(-4);
    const [all, fee, paidOut, difference] = off.map(({ net }) => Number(net));
    expect(Number(all) + Number(fee) + Number(difference)).toBe(paidOut);
  });

  test("has no sum over several currencies", () => {
    const several = listed({ amount: null, fee: null, net: null, difference: null, adds_up: null });
    expect(sumLines(several, 4850, null).map(({ name }) => name)).toEqual([
      "charge",
      "refund",
      "This payout",
    ]);
  });

  test("says whether it came, and what to do where it did not", () => {
    const now = Date.parse("2026-11-03T12:00:00Z");
    const told = (rest: object, object: object = {}, when = now) => {
      const of = payout(rest as Record<string, unknown>, object as Record<string, unknown>);
      const story = storyOf({ record: of, payments: [], now: when });
      const facts = story?.facts.map((fact) => [
        fact.name,
        "text" in fact ? fact.text : Object.values(fact)[1],
      ]);
      return { says: story?.says, tone: story?.tone, facts: Object.fromEntries(facts ?? []) };
    };
    expect(told({}).says).toBe("Paid out to the bank.");
    expect(told({}).facts["Bank trace"]).toBe("TRACE-77");
    expect(told({}).facts["Arrival at the bank"]).toBe("Tue, Nov 3, 2026");
    expect(told({ status: "in_transit" })).toMatchObject({
      says: "On its way to the bank.",
      tone: "waiting",
    });
    const late = told({ status: "in_transit" }, {}, now + 2 * 86_400_000);
    expect(late).toMatchObject({ says: "Late: it should have arrived on Tue, Nov 3, 2026.", tone: "warn" });
    expect(late.facts["What to do"]).toMatch(/trace/);
    const failed = told(
      { status: "failed" },
      { failure_message: "account closed", failure_code: "account_closed" },
    );
    expect(failed).toMatchObject({
      says: "It failed. The money is back in your Stripe balance.",
      tone: "bad",
    });
    expect(failed.facts["What the bank said"]).toBe("account closed");
    expect(told({}, { automatic: false }).facts.Made).toBe("By hand");
    const off = told({ transactions: listed({ adds_up: false, difference: 7 }) });
    expect(off).toMatchObject({ says: expect.stringContaining("does not add up"), tone: "warn" });
  });
});

describe("the list of payouts", () => {
  test("says when each arrives, how much, its state, whether it adds up, and whose it is", async () => {
    api({
      "GET records/payouts": () =>
        page([
          payout(),
          payout({
            id: "po_2",
            account: "acct_1",
            status: "failed",
            currency: "jpy",
            transactions: listed({ adds_up: false, difference: 7 }),
          }),
        ]),
      "GET records": () => page(all),
    });
    const { container } = show(KindPage, { params: { kind: "payouts" } });
    const rows = within(await screen.findByRole("table")).getAllByRole("row");
    const texts = rows.map((row) => row.textContent?.replace(/\s+/g, " "));
    for (const said of ["Tue, Nov 3, 2026", "€48.50", "Paid", "Adds up", "Your own"])
      expect(texts[1]).toContain(said);
    for (const said of ["¥4,850", "Failed", "Does not add up", "acct_1"]) expect(texts[2]).toContain(said);
    const link = within(rows[2] as HTMLElement).getByRole("link");
    expect(link.getAttribute("href")).toBe("#/records/payouts/po_2?account=acct_1");
    // No payout is a customer's.
    expect(screen.queryByLabelText("Customer")).toBeNull();
    expect(await faults(container)).toEqual([]);
  });
});

describe("the page of a payout", () => {
  const shows = async (
    of: ReturnType<typeof payout>,
    lines: Record<string, (asked: Asked) => unknown> = {},
  ) => {
    await at("#/records/payouts/po_1");
    const asked = api({
      "GET records/payouts/po_1/transactions": () => page([transaction(1)]),
      ...lines,
      "GET records/payouts/po_1": () => of,
      "GET records": () => page(all),
    });
    const shown = show(RecordPage, { params: { kind: "payouts", id: "po_1" } });
    const region = await screen.findByRole("region", { name: "What is in it" });
    return { ...shown, asked, text: () => region.textContent?.replace(/\s+/g, " ") ?? "" };
  };

  test("is named by its day, comes to the deposit, and links what each transaction is of", async () => {
    const { container, text } = await shows(payout());
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Payout of Tue, Nov 3, 2026");
    for (const said of ["Adds up", "€60.00", "-€1.50", "€58.50", "All together", "This payout", "€48.50"])
      expect(text()).toContain(said);
    const list = await screen.findByRole("region", { name: /^Transactions/ });
    const links = (await within(list).findAllByRole("link")).map((link) => link.getAttribute("href"));
    expect(links).toEqual([
      "#/records/balance_transactions/txn_1",
      "#/records/invoices/in_1",
      "#/records/payments/pi_1",
      "#/records/customers/cus_1",
    ]);
    expect(await faults(container)).toEqual([]);
  });

  test("says by how much it does not add up, and what to do", async () => {
    const off = listed({ adds_up: false, net: 4900, difference: -50, of_other_payouts: ["txn_9"] });
    const { text } = await shows(payout({ transactions: off }));
    expect(text()).toContain("comes to €49.00, and €48.50 was paid out: a difference of -€0.50");
    expect(text()).toContain("compare it with Stripe’s payout reconciliation report");
    expect(screen.getByRole("link", { name: "txn_9" })).toBeTruthy();
  });

  test("shows what an instant one costs itself", async () => {
    const { container, text } = await shows(payout({ fee: 50 }, { amount: 4800 }));
    const rows = within(screen.getByRole("table", { name: "Sums by type" })).getAllByRole("row");
    const last = rows.slice(-3).map((row) => row.textContent?.replace(/\s+/g, " ").trim());
    expect(last[0]).toContain("€48.50");
    expect(last[1]).toMatch(/^Fee of the payout itself.*-€0.50.*-€0.50$/);
    expect(last[2]).toMatch(/^This payout.*€48.00$/);
    expect(text()).toContain("Adds up");
    expect(await faults(container)).toEqual([]);
  });

  test("takes its own fee into what does not add up", async () => {
    const off = listed({ adds_up: false, difference: -7 });
    const { text } = await shows(payout({ transactions: off, fee: 50 }, { amount: 4793 }));
    expect(text()).toContain(
      "What is in it, less the payout’s own fee, comes to €48.00, and €47.93 was paid out: a difference of -€0.07",
    );
  });

  test.each([
    ["waiting", "Waits for Stripe"],
    ["listing", "Being listed"],
    ["refused", "Refused by Stripe"],
    ["not_listed", "No list from Stripe"],
  ] as const)("looks like what it is while its transactions are %s", async (state, word) => {
    const none = { count: 0, sums: [], adds_up: null, difference: null, amount: 0, fee: 0, net: 0 };
    const { text, asked } = await shows(
      payout({ transactions: listed({ ...none, state, message: `the API says ${state}` }) }),
    );
    expect(text()).toContain(word);
    expect(text()).toContain(`The API says ${state}.`);
    expect(text()).not.toContain("Adds up");
    expect(asked.some(({ path }) => path.endsWith("/transactions"))).toBe(false);
    if (state === "not_listed") expect(text()).toContain("automatic payouts only");
  });

  test("is saved as one file of the API's own CSV, page after page", async () => {
    const saved = vi.spyOn(csvFile, "download").mockImplementation(() => {});
    const accepted: (string | null)[] = [];
    const pages: Record<string, () => Response> = {
      first: () => csv("id,amount\r\ntxn_1,1\r\n", "https://evil.example/x?limit=2000&cursor=second"),
      second: () => csv('\uFEFFid,amount\r\ntxn_2,"a\nb"\r\n', null),
    };
    const { asked } = await shows(payout(), {
      "GET records/payouts/po_1/transactions": ({ query }) =>
        query.limit === "2000" ? pages[query.cursor ?? "first"]?.() : page([transaction(1)]),
    });
    const before = globalThis.fetch;
    vi.stubGlobal("fetch", (input: string | URL, init?: RequestInit) => {
      accepted.push(new Headers(init?.headers).get("Accept"));
      return before(input, init);
    });
    await userEvent.click(await screen.findByRole("button", { name: "Download CSV" }));
    await screen.findByText("Saved: 2 rows.");
    expect(saved).toHaveBeenCalledWith("po_1.csv", 'id,amount\r\ntxn_1,1\r\ntxn_2,"a\nb"\r\n');
    expect(accepted).toEqual(["text/csv", "text/csv"]);
    expect(asked.filter(({ query }) => query.limit === "2000").map(({ query }) => query.cursor)).toEqual([
      undefined,
      "second",
    ]);
  });

  test("says why there is no file where the API refuses it", async () => {
    const saved = vi.spyOn(csvFile, "download").mockImplementation(() => {});
    await shows(payout(), {
      "GET records/payouts/po_1/transactions": ({ query }) =>
        query.limit === "2000"
          ? json({ error: { code: "forbidden", message: "no", request_id: "r" } }, 403)
          : page([transaction(1)]),
    });
    await userEvent.click(await screen.findByRole("button", { name: "Download CSV" }));
    expect((await screen.findByRole("alert")).textContent).toContain("You may not do this");
    expect(saved).not.toHaveBeenCalled();
  });
});

describe("CSV in pages", () => {
  test("has its heads once, and rows whose texts have lines of their own", async () => {
    const pages = ["h\r\n", "h\r\n1\r\n", 'h\n"2\n2"'];
    const counts: number[] = [];
    const text = await readCsv(
      async (cursor) => {
        const n = Number(cursor ?? 0);
        return { text: pages[n] ?? "", next_cursor: n < 2 ? String(n + 1) : null };
      },
      (rows) => counts.push(rows),
    );
    expect(text).toBe('h\r\n1\r\n"2\n2"\r\n');
    expect(counts).toEqual([0, 1, 2]);
    expect(countRows('a,"x\n""y"""\nb\n')).toBe(2);
  });
});

describe("the way of a payment's money", () => {
  const settled: Settlement = {
    currency: "eur",
    amount: 2500,
    fee: 66,
    net: 2434,
    available_on: "2026-11-03T00:00:00Z",
    payout: "po_1",
    payout_status: "in_transit",
    arrival_date: "2026-11-05T00:00:00Z",
    transactions: [
      {
        id: "txn_1",
        type: "charge",
        currency: "eur",
        amount: 2500,
        fee: 66,
        net: 2434,
        available_on: "2026-11-03T00:00:00Z",
        status: "available",
        payout: "po_1",
        payout_status: "in_transit",
        arrival_date: "2026-11-05T00:00:00Z",
      },
    ],
  };

  const shows = async (settlement: Settlement | null) => {
    await at("#/records/payments/pi_1");
    api({
      "GET records/payments/pi_1": () => payment({ id: "pi_1", settlement, timeline: [], history: [] }),
      "GET records": () => page(all),
    });
    show(RecordPage, { params: { kind: "payments", id: "pi_1" } });
    return screen.findByRole("region", { name: "Its way to the bank" });
  };

  test("is told: fee, net, when it is available, its payout and when that arrives", async () => {
    const region = await shows(settled);
    const text = region.textContent?.replace(/\s+/g, " ") ?? "";
    for (const said of ["€25.00", "-€0.66", "€24.34", "Thu, Nov 5, 2026"]) expect(text).toContain(said);
    const link = within(region).getByRole("link", { name: "Payout of Thu, Nov 5, 2026" });
    expect(link.getAttribute("href")).toBe("#/records/payouts/po_1");
  });

  test("is not known, in no payout yet, or of several currencies, and says so", async () => {
    expect((await shows(null)).textContent).toContain("Fee and net are not known yet");
    document.body.innerHTML = "";
    const none = { ...settled, payout: null, arrival_date: null };
    expect((await shows(none)).textContent).toContain("In no payout yet");
    document.body.innerHTML = "";
    const failed = { ...settled, payout_status: "failed", arrival_date: null };
    expect((await shows(failed)).textContent).toContain("did not go through");
    document.body.innerHTML = "";
    const missing = { ...settled, amount: null, fee: null, net: null };
    expect((await shows(missing)).textContent).toContain("the sums are not known");
    document.body.innerHTML = "";
    const [one] = settled.transactions as [Settlement["transactions"][0]];
    const two = { ...one, id: "txn_2", currency: "usd" };
    const several = {
      ...settled,
      currency: null,
      amount: null,
      fee: null,
      net: null,
      transactions: [one, two],
    };
    const region = await shows(several);
    expect(region.textContent).toContain("never added together");
    expect(region.textContent).toContain("$25.00");
  });

  test("a balance transaction leads to all that it is of", async () => {
    await at("#/records/balance_transactions/txn_1");
    api({
      "GET records/balance_transactions/txn_1": () =>
        record("balance_transactions", {
          id: "txn_1",
          status: "available",
          timeline: [],
          links: {
            payout: "po_1",
            charge: "ch_1",
            refund: null,
            dispute: null,
            payment: "pi_1",
            customer: "cus_1",
          },
          object: { object: "balance_transaction", amount: 2500, fee: 66, net: 2434, type: "charge" },
        }),
      "GET records": () => page(all),
    });
    show(RecordPage, { params: { kind: "balance_transactions", id: "txn_1" } });
    expect((await screen.findAllByText("-€0.66")).length).toBe(1);
    const links = screen.getAllByRole("link").map((link) => link.getAttribute("href"));
    for (const href of ["payouts/po_1", "charges/ch_1", "payments/pi_1", "customers/cus_1"])
      expect(links).toContain(`#/records/${href}`);
  });
});

test("what a check says of payouts are sums and days, and leads to the account's own record", () => {
  const first = {
    kind: "payouts",
    id: "po_1SampleOne",
    account: "acct_1Sample",
    amount: 4850,
    currency: "eur",
    difference: -50,
    arrival_date: "2026-11-03T00:00:00Z",
  };
  const [list] = members({ first: [first] });
  const shown =
    list?.value.as === "list" && list.value.items[0]?.as === "members" ? list.value.items[0].members : [];
  const by = Object.fromEntries(shown.map(({ name, value }) => [name, value]));
  expect(by.amount).toEqual({ as: "text", text: "€48.50" });
  expect(by.difference).toEqual({ as: "text", text: "-€0.50" });
  expect(by.arrival_date).toEqual({ as: "text", text: "Tue, Nov 3, 2026" });
  expect(by.id).toEqual({ as: "id", id: "po_1SampleOne", account: "acct_1Sample" });
});
