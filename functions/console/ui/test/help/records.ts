// The kinds as the API describes them, and records to tests' liking.
import type { Kind } from "../../src/api/kinds.ts";
import type { AnyRecord, PaymentRecord } from "../../src/pages/records/record.ts";

const kind = (
  name: string,
  object: string,
  id_prefixes: string[],
  statuses: string[],
  amount: string | null,
  labels: string[],
  references: [string, string][] = [],
): Kind => ({
  kind: name,
  object,
  id_prefixes,
  statuses,
  amount,
  labels,
  references: references.map(([member, kind]) => ({ member, kind })),
  listed: true,
  by_customer: true,
  permission: null,
});

export const kinds: Kind[] = [
  kind("customers", "customer", ["cus"], [], null, ["name", "email", "phone", "description"]),
  kind(
    "subscriptions",
    "subscription",
    ["sub"],
    ["trialing", "active", "past_due", "canceled"],
    null,
    ["description"],
    [
      ["customer", "customers"],
      ["latest_invoice", "invoices"],
    ],
  ),
  kind(
    "invoices",
    "invoice",
    ["in"],
    ["draft", "open", "paid", "uncollectible", "void"],
    "total",
    ["number", "customer_email"],
    [
      ["customer", "customers"],
      ["parent.subscription_details.subscription", "subscriptions"],
      ["subscription", "subscriptions"],
    ],
  ),
  kind(
    "invoice_payments",
    "invoice_payment",
    ["inpay"],
    ["open", "paid", "canceled"],
    "amount_requested",
    [],
    [
      ["invoice", "invoices"],
      ["payment.payment_intent", "payments"],
    ],
  ),
  kind(
    "payments",
    "payment_intent",
    ["pi"],
    ["requires_payment_method", "succeeded", "canceled"],
    "amount",
    ["description", "receipt_email"],
    [
      ["customer", "customers"],
      ["latest_charge", "charges"],
    ],
  ),
  kind(
    "charges",
    "charge",
    ["ch", "py"],
    ["pending", "succeeded", "failed"],
    "amount",
    ["description"],
    [
      ["customer", "customers"],
      ["payment_intent", "payments"],
    ],
  ),
  kind(
    "refunds",
    "refund",
    ["re", "pyr"],
    ["pending", "succeeded", "failed"],
    "amount",
    ["description"],
    [
      ["payment_intent", "payments"],
      ["charge", "charges"],
    ],
  ),
  kind(
    "disputes",
    "dispute",
    ["dp", "du"],
    ["needs_response", "under_review", "won", "lost"],
    "amount",
    ["reason"],
    [
      ["payment_intent", "payments"],
      ["charge", "charges"],
    ],
  ),
];

const OBJECTS: Record<string, string> = Object.fromEntries(kinds.map((one) => [one.kind, one.object]));

/** A record of a kind with these fields in place of usual ones. */
export function record(of: string, fields: Record<string, unknown> = {}): AnyRecord {
  const described = kinds.find((one) => one.kind === of);
  const id = (fields.id as string | undefined) ?? `${described?.id_prefixes[0] ?? "x"}_1`;
  return {
    id,
    kind: of,
    account: null,
    status: null,
    customer: null,
    currency: "eur",
    deleted: false,
    as_of: "2026-11-24T11:58:00Z",
    event: "evt_1",
    fetched: false,
    order_uncertain: false,
    gone_at_stripe: false,
    erased: false,
    complete: true,
    incomplete_reason: null,
    ...fields,
    object: { id, object: OBJECTS[of], created: 1_785_000_000, ...(fields.object as object | undefined) },
  };
}

/** A payment with these fields in place of usual ones. */
export function payment(fields: Record<string, unknown> = {}): PaymentRecord {
  return record("payments", {
    status: "succeeded",
    state: "completed",
    amount: 2500,
    amount_captured: 2500,
    amount_refunded: 0,
    amount_disputed: 0,
    charges: [],
    refunds: [],
    disputes: [],
    invoice: null,
    ...fields,
  }) as PaymentRecord;
}
