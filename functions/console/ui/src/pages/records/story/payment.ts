// A payment: what became of it, and of the money.
import { money } from "../../../format/money.ts";
import { words } from "../../../words/words.ts";
import { type AnyRecord, isPayment } from "../record.ts";
import { failureFacts, failureOf } from "./failure.ts";
import type { Story, Told } from "./story.ts";

export function paymentStory({ record }: Told): Story | null {
  if (!isPayment(record)) return null;
  const said = words.records.story.payment;
  const sum = (amount: number | bigint) =>
    record.currency ? money(amount, record.currency) : String(amount);
  const captured = BigInt(record.amount_captured);
  const refunded = BigInt(record.amount_refunded);
  switch (record.state) {
    case "completed":
      return { tone: "good", says: said.completed(sum(captured)), facts: openRefunds(record) };
    case "refunded":
      return { tone: "good", says: said.refunded(sum(refunded)), facts: openRefunds(record) };
    case "partially_refunded":
      return {
        tone: "warn",
        says: said.partly(sum(refunded), sum(captured), sum(captured - refunded)),
        facts: openRefunds(record),
      };
    case "failed":
      return { tone: "bad", says: said.failed, facts: failureFacts(failureOf(record)) };
    case "disputed":
      return { tone: "bad", says: said.disputed(sum(record.amount_disputed)), facts: [] };
    case "canceled":
      return { tone: "calm", says: said.canceled, facts: [] };
    case "pending":
      return { tone: "waiting", says: pending(record.status), facts: [] };
    default:
      return null;
  }
}

/** What a payment that is not decided waits for. */
function pending(status: string | null): string {
  const said = words.records.story.payment;
  if (status !== null && Object.hasOwn(said.waits, status))
    return said.waits[status as keyof typeof said.waits];
  return said.pending;
}

/** Refunds that have not gone through: the customer does not have that money, or not yet. */
function openRefunds(record: AnyRecord): Story["facts"] {
  const said = words.records.story.payment;
  return (record.refunds ?? []).flatMap((refund) => {
    if (refund.status === "failed") return [{ name: said.failedRefund, id: refund.id }];
    const open = refund.status === "pending" || refund.status === "requires_action";
    return open ? [{ name: said.openRefund, id: refund.id }] : [];
  });
}
