// What each sum of a payment is made of: its charges, refunds and disputes.
import type { Integer } from "../../api/types.ts";
import { type AnyRecord, integerIn, type PaymentRecord } from "./record.ts";

export type SumName = "captured" | "refunded" | "disputed";

/** A sum, and the parts that make it. */
export interface PaymentSum {
  name: SumName;
  amount: Integer;
  parts: { record: AnyRecord; amount: Integer | null }[];
}

/** What was taken by a charge; an old one that says nothing of it was taken whole. */
function capturedBy(charge: AnyRecord): Integer | null {
  const captured = integerIn(charge.object, "amount_captured");
  if (captured !== null) return captured;
  return charge.status === "succeeded" && charge.object.captured !== false
    ? integerIn(charge.object, "amount")
    : 0;
}

export function paymentSums(payment: PaymentRecord): PaymentSum[] {
  const whole = (record: AnyRecord) => ({ record, amount: integerIn(record.object, "amount") });
  return [
    {
      name: "captured",
      amount: payment.amount_captured,
      parts: (payment.charges ?? []).map((record) => ({ record, amount: capturedBy(record) })),
    },
    { name: "refunded", amount: payment.amount_refunded, parts: (payment.refunds ?? []).map(whole) },
    { name: "disputed", amount: payment.amount_disputed, parts: (payment.disputes ?? []).map(whole) },
  ];
}
