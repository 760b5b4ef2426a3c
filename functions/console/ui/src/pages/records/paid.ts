// What a customer paid in a month: the sums of the payments that were made in it, by currency.
import { infiniteQueryOptions } from "@tanstack/svelte-query";
import { recordPage } from "../../api/queries/records.ts";
import type { Zone } from "../../format/zone.svelte.ts";
import { type AnyRecord, anyRecord, createdOf, isPayment } from "./record.ts";

/** The sums of one currency. */
export interface Paid {
  currency: string;
  taken: bigint;
  back: bigint;
  /** The payments that make them. */
  from: AnyRecord[];
}

/** The first second of the month that a moment is in. */
export function monthStart(now: number, zone: Zone): number {
  const date = new Date(now);
  const start =
    zone === "utc"
      ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
      : new Date(date.getFullYear(), date.getMonth(), 1).getTime();
  return start / 1000;
}

/** The payments that were made since then and of which something was taken, summed up. Nothing is a float. */
export function paidSince(payments: readonly AnyRecord[], since: number): Paid[] {
  const sums = new Map<string, Paid>();
  for (const payment of payments) {
    if (!isPayment(payment) || !payment.currency || (createdOf(payment) ?? 0) < since) continue;
    const taken = BigInt(payment.amount_captured);
    if (taken === 0n) continue;
    const { currency } = payment;
    const sum = sums.get(currency) ?? { currency, taken: 0n, back: 0n, from: [] };
    sum.taken += taken;
    sum.back += BigInt(payment.amount_refunded);
    sum.from.push(payment);
    sums.set(currency, sum);
  }
  return [...sums.values()];
}

/** A customer's payments since then: page by page, the newest first, until older ones come. */
export const paidQuery = (customer: string, account: string | null, since: number) =>
  infiniteQueryOptions({
    queryKey: ["records", "paid", customer, account, since],
    queryFn: async ({ pageParam, signal }) => {
      const filter = { customer, account: account ?? undefined };
      const page = await recordPage("payments", filter, pageParam, signal);
      return { ...page, data: page.data.map(anyRecord) };
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ data, next_cursor }) => {
      const last = data.at(-1);
      const older = last !== undefined && (createdOf(last) ?? 0) < since;
      return older ? undefined : (next_cursor ?? undefined);
    },
  });
