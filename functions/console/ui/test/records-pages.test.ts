// The pages of records as people meet them: found by what they say, harmless and readable whatever stands in them.
import { screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import Kind from "../src/pages/records/kind.svelte";
import RecordPage from "../src/pages/records/record.svelte";
import Records from "../src/pages/records/records.svelte";
import SearchBox from "../src/parts/search-box.svelte";
import { setSearchKey } from "../src/parts/search-key.svelte.ts";
import { kinds, payment, record } from "./help/records.ts";
import { answers, json, signedIn } from "./help/session.ts";
import { show } from "./help/show.ts";

const hostile = '<img src=x onerror="alert(1)">\u202egnp.exe';
type Answer = (url: URL, init?: RequestInit) => unknown;

/** The API: the kinds, and what else is asked for. An answer of `undefined` is "there is no such thing". */
function api(answer: Answer) {
  return answers((text, init) => {
    const url = new URL(text);
    const path = url.pathname.replace("/billhook", "");
    const body = path === "/records" ? { data: kinds } : answer(new URL(path + url.search, url), init);
    if (body instanceof Response) return body;
    return body === undefined
      ? json({ error: { code: "not_found", message: "there is none here", request_id: "req-1" } }, 404)
      : json(body);
  });
}

const page = (data: unknown[], next_cursor: string | null = null) => ({ data, next_cursor });

async function at(hash: string) {
  location.hash = hash;
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** What axe can see without a layout; colours and sizes are looked at in a browser. */
async function accessible(container: Element) {
  const { violations } = await axe.run(container, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
}

beforeEach(async () => {
  await signedIn();
  await at("#/records");
});

afterEach(() => setSearchKey(true));

describe("the search", () => {
  test("is one key away, unless somebody types or has turned it off", async () => {
    const user = userEvent.setup();
    vi.spyOn(HTMLElement.prototype, "checkVisibility").mockReturnValue(true);
    show(SearchBox);
    const box = screen.getByRole("searchbox", { name: "Find by id, e-mail or name" });
    await user.keyboard("/");
    expect(document.activeElement).toBe(box);
    await user.keyboard("a/b{Enter}");
    await waitFor(() => expect(location.hash).toBe("#/records?q=a%2Fb"));
    box.blur();
    setSearchKey(false);
    await user.keyboard("/");
    expect(document.activeElement).not.toBe(box);
  });

  test("leads an id straight to its page", async () => {
    await at("#/records?q=in_1");
    api(() => undefined);
    show(Records);
    await waitFor(() => expect(location.hash).toBe("#/records/invoices/in_1"));
  });

  test("finds in all kinds at once, and shows texts of others as text", async () => {
    await at("#/records?q=anna");
    const fetched = api((url) => {
      if (url.pathname === "/records/customers")
        return page([record("customers", { object: { name: hostile } })]);
      if (url.pathname === "/records/invoices")
        return page([record("invoices", { object: { number: "A-1" } })]);
      return page([]);
    });
    const { container } = show(Records);
    const customers = await screen.findByRole("table", { name: /Customers/ });
    expect(
      within(customers)
        .getByRole("link", { name: /<img src=x/ })
        .getAttribute("href"),
    ).toBe("#/records/customers/cus_1");
    expect(container.querySelector("img, script")).toBeNull();
    await screen.findByText("2 records found in 2 kinds");
    const searched = fetched.mock.calls.map(([url]) => new URL(String(url)).searchParams.get("search"));
    expect(searched.filter((text) => text === "anna")).toHaveLength(kinds.length);
    await accessible(container);
  });

  test("reads on over short pages, stops by itself, and goes on when asked", async () => {
    await at("#/records?q=nobody");
    let asked = 0;
    api((url) => {
      if (url.pathname !== "/records/invoices") return page([]);
      asked += 1;
      return page([], `c${asked}`);
    });
    show(Records);
    const more = await screen.findByRole("button", { name: "Search older ones" });
    expect(asked).toBe(5);
    expect(screen.getByText("Nothing found so far")).toBeTruthy();
    await userEvent.click(more);
    await waitFor(() => expect(asked).toBe(10));
  });

  test("says which kinds could not be searched, once, and keeps what it found in others", async () => {
    await at("#/records?q=anna");
    api((url) =>
      url.pathname === "/records/customers"
        ? page([record("customers", { object: { name: "Anna" } })])
        : json({ error: { code: "forbidden", message: "this needs a role", request_id: "req-1" } }, 403),
    );
    show(Records);
    await screen.findByRole("link", { name: "Anna" });
    await screen.findByText(/Could not be searched: .*invoices.*disputes/);
    expect(screen.getAllByText("You may not do this")).toHaveLength(1);
  });

  test("that is longer than the API takes says so, and offers the id itself", async () => {
    await at(`#/records?q=${"x".repeat(700)}`);
    const fetched = api(() => page([]));
    show(Records);
    const link = await screen.findByRole("link", { name: /exactly this id/ });
    expect(link.getAttribute("href")).toBe(`#/records/customers/${"x".repeat(700)}`);
    expect(fetched).toHaveBeenCalledOnce();
  });
});

describe("a list", () => {
  test("asks for what the address says, and shows money and states in words", async () => {
    await at("#/records/payments?status=succeeded&customer=cus_1");
    const fetched = api(() => page([payment({ currency: "jpy", amount: 500, state: "disputed" })]));
    const { container } = show(Kind, { params: { kind: "payments" } });
    expect(await screen.findByText("¥500")).toBeTruthy();
    expect(screen.getByText("Disputed")).toBeTruthy();
    const url = new URL(String(fetched.mock.calls.at(-1)?.[0]));
    expect(Object.fromEntries(url.searchParams)).toEqual({
      limit: "50",
      status: "succeeded",
      customer: "cus_1",
    });
    await accessible(container);
  });

  test("of a kind that there is not says so", async () => {
    api(() => undefined);
    show(Kind, { params: { kind: "unicorns" } });
    expect(await screen.findByText("There is no such kind of record")).toBeTruthy();
  });

  test("puts what is wrong with a filter beside it", async () => {
    await at("#/records/invoices?customer=x");
    const error = {
      code: "parameter_invalid",
      message: "`customer` is no id",
      field: "customer",
      request_id: "r",
    };
    api(() => json({ error }, 400));
    show(Kind, { params: { kind: "invoices" } });
    const input = await screen.findByLabelText("Customer");
    await waitFor(() => expect(input.getAttribute("aria-invalid")).toBe("true"));
  });

  test("that is empty teaches the next step", async () => {
    await at("#/records/invoices");
    api(() => page([]));
    show(Kind, { params: { kind: "invoices" } });
    expect(await screen.findByRole("link", { name: "Import what Stripe has" })).toBeTruthy();
  });
});

describe("a record", () => {
  const event = (id: string, type: string, created: string) => ({
    id,
    type,
    state: "processed",
    created,
    received_at: created,
  });

  test("of a payment leads from each sum to the record and the event that made it", async () => {
    const charge = record("charges", {
      event: "evt_2",
      status: "succeeded",
      object: { amount_captured: 2500 },
    });
    const whole = {
      ...payment({ charges: [charge] }),
      timeline: [event("evt_1", "payment_intent.succeeded", "2026-11-24T11:58:00Z")],
      history: [
        {
          at: "2026-11-24T11:58:00Z",
          state: "completed",
          amount_captured: 2500,
          amount_refunded: 0,
          amount_disputed: 0,
          order_uncertain: false,
          events: ["evt_1", "evt_2"],
        },
      ],
    };
    await at("#/records/payments/pi_1");
    api((url) => (url.pathname === "/records/payments/pi_1" ? whole : page([])));
    const { container } = show(RecordPage, { params: { kind: "payments", id: "pi_1" } });
    const parts = await screen.findByRole("list", { name: "Charges that make this sum" });
    const links = within(parts)
      .getAllByRole("link")
      .map((link) => link.getAttribute("href"));
    expect(links).toEqual(["#/records/charges/ch_1", "#/events/evt_2"]);
    const history = screen.getByRole("list", { name: /Each change/ });
    expect(within(history).getAllByRole("link")).toHaveLength(2);
    await accessible(container);
  });

  test("shows what an event changed, as the event says it", async () => {
    const whole = {
      ...record("subscriptions", { status: "active" }),
      timeline: [event("evt_1", "customer.subscription.updated", "2026-11-24T11:58:00Z")],
    };
    await at("#/records/subscriptions/sub_1");
    api((url) => {
      if (url.pathname === "/events/evt_1") {
        const data = { object: { status: "active" }, previous_attributes: { status: "incomplete" } };
        return { ...whole.timeline[0], payload: { data }, erased: false };
      }
      return url.pathname === "/records/subscriptions/sub_1" ? whole : page([]);
    });
    show(RecordPage, { params: { kind: "subscriptions", id: "sub_1" } });
    await userEvent.click(await screen.findByRole("button", { name: /What it changed/ }));
    const cells = within(await screen.findByRole("table", { name: /updated changed/ })).getAllByRole("cell");
    expect(cells.map((cell) => cell.textContent?.trim())).toEqual(["status", "incomplete", "active"]);
  });

  test("with an id that its merchant chose is asked for whole", async () => {
    const id = "a/b c%🎈";
    await at(`#/records/customers/${encodeURIComponent(id)}`);
    const fetched = api(() => undefined);
    show(RecordPage, { params: { kind: "customers", id } });
    await screen.findByText("There is no such customer here");
    const asked = fetched.mock.calls.map(([url]) => String(url));
    expect(asked).toContain(`http://localhost/billhook/records/customers/${encodeURIComponent(id)}`);
  });

  test("that is not there offers a search, which does not lead back", async () => {
    await at("#/records/invoices/in_9");
    api(() => undefined);
    show(RecordPage, { params: { kind: "invoices", id: "in_9" } });
    const search = await screen.findByRole("link", { name: "Search everything for it" });
    expect(search.getAttribute("href")).toBe("#/records?q=in_9&all=1");
  });

  test("that is not there as what was asked for is offered as what its id says", async () => {
    await at("#/records/payments/ch_1");
    api(() => undefined);
    show(RecordPage, { params: { kind: "payments", id: "ch_1" } });
    const link = await screen.findByRole("link", { name: "Look for it as a charge" });
    expect(link.getAttribute("href")).toBe("#/records/charges/ch_1");
  });

  test("of a connected account is asked for there, and so is all that it leads to", async () => {
    const object = { customer: "cus_1" };
    const invoice = { ...record("invoices", { account: "acct_1", customer: "cus_1", object }), timeline: [] };
    await at("#/records/invoices/in_1?account=acct_1");
    const fetched = api((url) => (url.pathname === "/records/invoices/in_1" ? invoice : page([])));
    show(RecordPage, { params: { kind: "invoices", id: "in_1" } });
    const links = await screen.findAllByRole("link", { name: "cus_1" });
    for (const link of links) {
      expect(link.getAttribute("href")).toBe("#/records/customers/cus_1?account=acct_1");
    }
    const asked = fetched.mock.calls.map(([url]) => new URL(String(url)));
    const records = asked.filter(({ pathname }) => pathname !== "/billhook/records");
    expect(records.every(({ searchParams }) => searchParams.get("account") === "acct_1")).toBe(true);
  });

  const named = (member: string, kind: string, id: string, label: string | null, rest: object = {}) => ({
    member,
    kind,
    id,
    label,
    here: true,
    deleted: false,
    called_after: null,
    ...rest,
  });

  test("calls what it names by the names that people know, and says what is not here", async () => {
    const references = [
      named("customer", "customers", "cus_1", hostile),
      named("latest_invoice", "invoices", "in_1", "A-7", { deleted: true }),
      named("default_payment_method", "payment_methods", "pm_1", null, { here: false }),
    ];
    const whole = { ...record("subscriptions", { customer: "cus_1", references }), timeline: [] };
    const fetched = api((url) => (url.pathname === "/records/subscriptions/sub_1" ? whole : page([])));
    const { container } = show(RecordPage, { params: { kind: "subscriptions", id: "sub_1" } });
    const linked = within(await screen.findByRole("region", { name: "Linked with it" }));
    const items = linked
      .getAllByRole("listitem")
      .map((item) => item.textContent?.replace(/\s+/g, " ").trim());
    expect(items.sort()).toEqual([
      expect.stringMatching(/^Customer <img src=x.*cus_1$/),
      "Invoice A-7 in_1 Deleted",
      "Payment method pm_1 Not here",
    ]);
    expect(linked.getByRole("link", { name: "A-7" }).getAttribute("href")).toBe("#/records/invoices/in_1");
    expect(container.querySelector("img, script")).toBeNull();
    // The customer's name is told, so nobody is asked for it.
    expect(screen.getAllByRole("link", { name: /<img src=x/ })).toHaveLength(2);
    expect(
      fetched.mock.calls.map(([url]) => String(url)).filter((url) => url.includes("/customers")),
    ).toEqual([]);
    await accessible(container);
  });

  test("that names nothing has no such part, and one that names many shows the first", async () => {
    const of = (count: number, left: number) => {
      const references = Array.from({ length: count }, (_, n) =>
        named("items.data.price", "prices", `price_${n}`, null),
      );
      return { ...record("subscriptions", { references, references_left_out: left }), timeline: [] };
    };
    let answer = of(0, 0);
    api((url) => (url.pathname === "/records/subscriptions/sub_1" ? answer : page([])));
    const { unmount } = show(RecordPage, { params: { kind: "subscriptions", id: "sub_1" } });
    await screen.findByText("Made at Stripe");
    expect(screen.queryByRole("region", { name: "Linked with it" })).toBeNull();
    unmount();
    answer = of(100, 12);
    show(RecordPage, { params: { kind: "subscriptions", id: "sub_1" } });
    const linked = within(await screen.findByRole("region", { name: "Linked with it" }));
    expect(linked.getAllByRole("listitem")).toHaveLength(20);
    expect(linked.getByText("It names 12 other objects, which are not told here.")).toBeTruthy();
    await userEvent.click(linked.getByRole("button", { name: "Show all 100" }));
    expect(linked.getAllByRole("listitem")).toHaveLength(100);
    await userEvent.click(linked.getByRole("button", { name: "Show less" }));
    expect(linked.getAllByRole("listitem")).toHaveLength(20);
  });

  test("of an invoice tells its lines with their product and price, and whether others follow", async () => {
    const [price, product] = ["pricing.price_details.price", "pricing.price_details.product"];
    const gold = { kind: "products", id: "prod_1", here: true, deleted: false, label: "Gold" };
    const references = [
      named(`lines.data.${product}`, "products", "prod_1", "Gold"),
      named(`lines.data.${price}`, "prices", "price_1", "Monthly", { called_after: gold }),
    ];
    const line = (n: number) => ({
      id: `il_${n}`,
      description: n === 0 ? "1 × Gold" : null,
      quantity: 3,
      amount: 1900,
      currency: "jpy",
      pricing: { price_details: { price: "price_1", product: "prod_1" } },
    });
    const lines = (count: number, has_more: boolean) => ({
      data: Array.from({ length: count }, (_, n) => line(n)),
      has_more,
    });
    const of = (count: number, reason: string | null) => ({
      ...record("invoices", {
        complete: reason === null,
        incomplete_reason: reason,
        references,
        payments: [],
        object: { lines: lines(count, reason !== null) },
      }),
      timeline: [],
    });
    let answer = of(0, null);
    api((url) => (url.pathname === "/records/invoices/in_1" ? answer : page([])));
    const shown = async () => show(RecordPage, { params: { kind: "invoices", id: "in_1" } });
    const empty = await shown();
    await screen.findByText("Made at Stripe");
    expect(screen.queryByRole("region", { name: "Its lines" })).toBeNull();
    empty.unmount();
    answer = of(10, "fetching");
    const { container, unmount } = await shown();
    const part = within(await screen.findByRole("region", { name: "Its lines" }));
    const [, first, second] = part.getAllByRole("row");
    for (const text of ["1 × Gold", "¥1,900", "3"]) expect(first?.textContent).toContain(text);
    expect(second?.textContent).toContain("il_1");
    const links = within(first as HTMLElement).getAllByRole("link");
    expect(links.map((link) => [link.textContent?.trim(), link.getAttribute("href")])).toEqual([
      ["Gold", "#/records/products/prod_1"],
      ["Gold · Monthly", "#/records/prices/price_1"],
    ]);
    expect(part.getByText("These are its first 10 lines. The others follow within minutes.")).toBeTruthy();
    expect(screen.queryByRole("region", { name: "Linked with it" })).toBeNull();
    await accessible(container);
    unmount();
    answer = of(12, "too_large");
    await shown();
    const cut = within(await screen.findByRole("region", { name: "Its lines" }));
    expect(cut.getAllByRole("row")).toHaveLength(11);
    expect(cut.getByText(/first 12 lines. The others are not here/)).toBeTruthy();
    await userEvent.click(cut.getByRole("button", { name: "Show all 12" }));
    expect(cut.getAllByRole("row")).toHaveLength(13);
  });

  test("of a kind that a later release adds shows what is known of it", async () => {
    const payout = {
      ...record("payouts", { id: "po_1", status: "paid", object: { object: "payout" } }),
      timeline: [],
    };
    await at("#/records/payouts/po_1");
    api((url) => (url.pathname === "/records/payouts/po_1" ? payout : page([])));
    show(RecordPage, { params: { kind: "payouts", id: "po_1" } });
    expect(await screen.findByText("Paid")).toBeTruthy();
    expect(screen.getByRole("link", { name: /Open in Stripe/ }).getAttribute("href")).toBe(
      "https://dashboard.stripe.com/test/payouts/po_1",
    );
  });
});

describe("a customer", () => {
  const shown = async (lists: Record<string, unknown[]>) => {
    const whole = { ...record("customers", lists), timeline: [] };
    await at("#/records/customers/cus_1");
    api((url) => (url.pathname === "/records/customers/cus_1" ? whole : page([])));
    const { container } = show(RecordPage, { params: { kind: "customers", id: "cus_1" } });
    await screen.findByRole("heading", { name: "Refunds" });
    return container;
  };
  const refunds = [record("refunds", { status: "succeeded", object: { amount: 1200 } })];

  test("has a list of each kind that is theirs, and says in a line of which there is none", async () => {
    const container = await shown({ refunds, disputes: [], invoices: [] });
    const all = screen.getByRole("link", { name: "All refunds" });
    expect(all.getAttribute("href")).toBe("#/records/refunds?customer=cus_1");
    expect(screen.getByText("No invoices or disputes.")).toBeTruthy();
    expect(screen.getAllByRole("table", { name: /newest first/ })).toHaveLength(1);
    await accessible(container);
  });

  test("names many kinds of which there is none only when asked", async () => {
    const container = await shown({
      refunds,
      ...{ disputes: [], invoices: [], payments: [], charges: [], subscriptions: [] },
    });
    await userEvent.click(screen.getByText("No records of 5 other kinds"));
    expect(screen.getByText("No subscriptions, invoices, payments, charges, or disputes.")).toBeTruthy();
    await accessible(container);
  });
});

describe("a deleted customer", () => {
  const gone = { ...record("customers", { deleted: true }), timeline: [] };
  const show1 = () => show(RecordPage, { params: { kind: "customers", id: "cus_1" } });

  function customers(posted: (body: unknown) => void = () => {}) {
    let erasure: object | undefined;
    return api((url, init) => {
      if (url.pathname === "/records/customers/cus_1") return gone;
      if (init?.method === "POST") {
        posted(JSON.parse(String(init.body)));
        erasure = { state: "running", records: 0, events: 0, waiting: { count: 0, first: [] } };
        return json(erasure, 202);
      }
      return url.pathname.startsWith("/erasures/") ? erasure : page([]);
    });
  }

  test("is erased by an admin who types the id", async () => {
    const posted = vi.fn();
    customers(posted);
    await at("#/records/customers/cus_1");
    show1();
    await userEvent.click(await screen.findByRole("button", { name: "Erase personal data" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    expect(dialog.getByText(/Kept: sums, states/)).toBeTruthy();
    await userEvent.type(dialog.getByLabelText(/Why/), "request 42");
    await userEvent.type(dialog.getByLabelText("Type cus_1 to confirm"), "cus_1");
    await userEvent.click(dialog.getByRole("button", { name: "Erase for good" }));
    expect(await screen.findByText("Being erased")).toBeTruthy();
    expect(posted).toHaveBeenCalledWith({
      customer: "cus_1",
      account: null,
      confirm: "cus_1",
      why: "request 42",
    });
  });

  test("has no such button for a viewer, who is told why", async () => {
    await signedIn({ "cognito:groups": ["viewer"] });
    customers();
    await at("#/records/customers/cus_1");
    show1();
    expect(await screen.findByText("An admin can erase their personal data here.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Erase personal data" })).toBeNull();
  });

  test("of whom there is no record is erased only by an admin who has looked at Stripe", async () => {
    api(() => undefined);
    await at("#/records/customers/cus_1");
    show1();
    await userEvent.click(await screen.findByRole("button", { name: "Erase personal data" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    await userEvent.type(dialog.getByLabelText("Type cus_1 to confirm"), "cus_1");
    const button = dialog.getByRole("button", { name: "Erase for good" });
    expect(button.hasAttribute("disabled")).toBe(true);
    await userEvent.click(dialog.getByRole("checkbox", { name: /looked at Stripe/ }));
    expect(button.hasAttribute("disabled")).toBe(false);
  });
});
