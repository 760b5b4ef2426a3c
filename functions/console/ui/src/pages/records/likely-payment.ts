// The payment of an unpaid invoice where nothing joins the two: Stripe sends no event of an invoice payment before
// it is paid. It is the customer's newest one of the same sum that was made since and is not paid, and is shown as
// what it is, a guess.
import { queryOptions } from "@tanstack/svelte-query";
import { recordPage } from "../../api/queries/records.ts";
import { type AnyRecord, anyRecord, createdOf, integerIn } from "./record.ts";
import { newestFirst } from "./story/failure.ts";

/** Whether an invoice waits for a payment of which nothing is known. */
export function lacksPayment(invoice: AnyRecord, payments: number): boolean {
  const attempts = integerIn(invoice.object, "attempt_count") ?? 0;
  return invoice.kind === "invoices" && invoice.status === "open" && attempts > 0 && payments === 0;
}

/** The one of a customer's payments that is probably the invoice's; null where none fits. */
export function likelyOf(invoice: AnyRecord, payments: readonly AnyRecord[]): AnyRecord | null {
  const due = integerIn(invoice.object, "amount_remaining") ?? integerIn(invoice.object, "amount_due");
  const since = createdOf(invoice);
  if (due === null || since === null) return null;
  const fits = (payment: AnyRecord) =>
    (payment.state === "failed" || payment.state === "pending") &&
    payment.currency === invoice.currency &&
    payment.amount !== undefined &&
    BigInt(payment.amount) === BigInt(due) &&
    (createdOf(payment) ?? 0) >= since;
  return newestFirst(payments.filter(fits))[0] ?? null;
}

/** Looks for it among the customer's newest payments. */
export const likelyQuery = (invoice: AnyRecord) =>
  queryOptions({
    queryKey: ["records", "likely", invoice.account, invoice.id, invoice.as_of],
    queryFn: async ({ signal }) => {
      const filter = { customer: invoice.customer ?? undefined, account: invoice.account ?? undefined };
      const page = await recordPage("payments", { ...filter, limit: 50 }, undefined, signal);
      return likelyOf(invoice, page.data.map(anyRecord));
    },
  });
