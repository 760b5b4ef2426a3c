// Which records need attention, in which order, and what is read out of them.
import type { Integer, ListedRecord } from "../../api/types.ts";
import { isInteger } from "../../format/money.ts";
import { member } from "../../format/text.ts";
import { isLate } from "../../parts/arrival.ts";

/** A text of a record's object. */
export function textOf(record: ListedRecord, path: string): string | null {
  const value = member(record.object, path);
  return typeof value === "string" && value !== "" ? value : null;
}

/** A count or a time of a record's object. */
export function numberOf(record: ListedRecord, path: string): number | null {
  const value = member(record.object, path);
  return typeof value === "number" && Number.isSafeInteger(value) ? value : null;
}

/** A sum of a record's object. */
export function amountOf(record: ListedRecord, path: string): Integer | null {
  const value = member(record.object, path);
  return isInteger(value) ? value : null;
}

/** An id that the object holds, or that of the object that it holds whole. */
export function idOf(record: ListedRecord, path: string): string | null {
  return textOf(record, path) ?? textOf(record, `${path}.id`);
}

const present = (record: ListedRecord) => !record.deleted;
const last = Number.POSITIVE_INFINITY;
const by = (of: (record: ListedRecord) => number) => (a: ListedRecord, b: ListedRecord) => of(a) - of(b);

export const dueBy = (record: ListedRecord) => numberOf(record, "evidence_details.due_by");

/** Disputes, the nearest deadline first. */
export function disputesDue(records: readonly ListedRecord[]): ListedRecord[] {
  return records.filter(present).sort(by((record) => dueBy(record) ?? last));
}

/** Refunds, the newest first. */
export function refundsNotDone(records: readonly ListedRecord[]): ListedRecord[] {
  return records.filter(present).sort(by((record) => -(numberOf(record, "created") ?? 0)));
}

export const nextTry = (record: ListedRecord) => numberOf(record, "next_payment_attempt");

/** Open invoices for which a payment was tried: those first that are not tried again, then by the next try. */
export function lastTryFailed(records: readonly ListedRecord[]): ListedRecord[] {
  const tried = (record: ListedRecord) =>
    record.status === "open" && (numberOf(record, "attempt_count") ?? 0) > 0;
  return records
    .filter((record) => present(record) && tried(record))
    .sort(by((record) => nextTry(record) ?? 0));
}

const WORST = ["unpaid", "past_due", "incomplete"];

/** Subscriptions, the worst first. */
export function notPaid(records: readonly ListedRecord[]): ListedRecord[] {
  return records.filter(present).sort(by((record) => WORST.indexOf(record.status ?? "")));
}

/** Payouts that failed or are late, the failed ones first, then the latest. */
export function notArrived(records: readonly ListedRecord[], now: number): ListedRecord[] {
  const arrival = (record: ListedRecord) => numberOf(record, "arrival_date") ?? 0;
  const failed = (record: ListedRecord) => (record.status === "failed" ? 0 : 1);
  return records
    .filter((record) => present(record) && (record.status === "failed" || isLate(record, now)))
    .sort((a, b) => failed(a) - failed(b) || arrival(b) - arrival(a));
}

/** Warnings about which something can still be done, the newest first. */
export function stillActionable(records: readonly ListedRecord[]): ListedRecord[] {
  return records
    .filter((record) => present(record) && member(record.object, "actionable") === true)
    .sort(by((record) => -(numberOf(record, "created") ?? 0)));
}

/** Sums by currency, the currencies in order of the alphabet. Two currencies are never added. */
export function sums<T extends ListedRecord>(
  records: readonly T[],
  amount: (record: T) => Integer | null,
): { currency: string; amount: bigint }[] {
  const found = new Map<string, bigint>();
  for (const record of records) {
    const one = amount(record);
    if (one === null || !record.currency) continue;
    const currency = record.currency.toLowerCase();
    found.set(currency, (found.get(currency) ?? 0n) + BigInt(one));
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, sum]) => ({ currency, amount: sum }));
}

export interface Price {
  amount: bigint;
  interval: string;
  every: number;
}

/** What a subscription costs, where all that it is made of has a fixed price of one interval. */
export function priceOf(record: ListedRecord): Price | null {
  const items = member(record.object, "items.data");
  if (!Array.isArray(items) || items.length === 0 || member(record.object, "items.has_more") === true)
    return null;
  let price = null as Price | null;
  for (const item of items) {
    const [unit, quantity] = [member(item, "price.unit_amount"), member(item, "quantity")];
    const [interval, count] = [
      member(item, "price.recurring.interval"),
      member(item, "price.recurring.interval_count"),
    ];
    if (!isInteger(unit) || !isInteger(quantity) || typeof interval !== "string") return null;
    const every = typeof count === "number" ? count : 1;
    if (price && (price.interval !== interval || price.every !== every)) return null;
    price = { amount: (price?.amount ?? 0n) + BigInt(unit) * BigInt(quantity), interval, every };
  }
  return price;
}
