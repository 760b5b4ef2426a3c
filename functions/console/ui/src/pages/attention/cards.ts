// Cards that end soon and pay an active subscription: its own default, else that of its customer.
import { recordPage } from "../../api/queries/records.ts";
import type { ListedRecord } from "../../api/types.ts";
import { idOf, numberOf } from "./pick.ts";

/** A card with the subscriptions that it pays. */
export type Card = ListedRecord & { pays: ListedRecord[] };

/** Subscriptions that will ask for money again. */
const GOES_ON = ["active", "trialing"];
/** So many customers are asked for at once. */
const AT_ONCE = 4;

/** Months since the year 0, so that they can be counted over the end of a year. */
const monthOf = (year: number, month: number) => year * 12 + month - 1;

/** How many months a card still holds after this one; null where it is no card. */
export function monthsLeft(record: ListedRecord, now: number): number | null {
  const [year, month] = [numberOf(record, "card.exp_year"), numberOf(record, "card.exp_month")];
  if (year === null || month === null) return null;
  const today = new Date(now);
  return monthOf(year, month) - monthOf(today.getFullYear(), today.getMonth() + 1);
}

/** Whether a customer's card ends this month or next. */
export function endsSoon(record: ListedRecord, now: number): boolean {
  const left = monthsLeft(record, now);
  return !record.deleted && record.customer !== null && (left === 0 || left === 1);
}

/** Those of a page that end soon and pay something. Customers are asked for one by one: few cards end soon. */
export async function cardsThatPay(
  records: readonly ListedRecord[],
  signal: AbortSignal,
  now: number = Date.now(),
): Promise<Card[]> {
  const soon = records.filter((record) => endsSoon(record, now));
  const cards: Card[] = [];
  for (let first = 0; first < soon.length; first += AT_ONCE) {
    const some = soon.slice(first, first + AT_ONCE);
    cards.push(...(await Promise.all(some.map((card) => withWhatItPays(card, signal)))));
  }
  return cards.filter((card) => card.pays.length > 0);
}

async function withWhatItPays(card: ListedRecord, signal: AbortSignal): Promise<Card> {
  const of = { customer: card.customer ?? "", account: card.account ?? undefined };
  const subscriptions = await allOf("subscriptions", of, signal);
  const going = subscriptions.filter((one) => !one.deleted && GOES_ON.includes(one.status ?? ""));
  const own = (one: ListedRecord) => idOf(one, "default_payment_method");
  // The customer's default counts only where a subscription has none.
  const asksCustomer = going.some((one) => own(one) === null);
  const [customer] = asksCustomer ? (await recordPage("customers", of, undefined, signal)).data : [];
  const usual = customer ? idOf(customer, "invoice_settings.default_payment_method") : null;
  return { ...card, pays: going.filter((one) => (own(one) ?? usual) === card.id) };
}

async function allOf(
  kind: string,
  of: { customer: string; account: string | undefined },
  signal: AbortSignal,
): Promise<ListedRecord[]> {
  const all: ListedRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await recordPage(kind, of, cursor, signal);
    all.push(...page.data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}

/** Those that end sooner first. */
export function soonestFirst(cards: readonly Card[], now: number): Card[] {
  return [...cards].sort((a, b) => (monthsLeft(a, now) ?? 0) - (monthsLeft(b, now) ?? 0));
}
