// What a restricted key of Stripe has to be allowed, each with its reason. What a person reads of it is in
// `words.stripe.key.rows`, by the same names.

import type { Mode } from "../../api/types.ts";
import { plain } from "../../format/text.ts";
import { newRestrictedKey } from "../../links.ts";
import { words } from "../../words/words.ts";

/** A right as Stripe names it, and the rights of the API's settings that it gives. */
interface Right {
  permission: keyof typeof words.stripe.key.rows;
  gives: readonly string[];
}

export const KEY_RIGHTS: readonly Right[] = [
  // Registers, changes, rotates and removes endpoints, and reads them for the status.
  { permission: "rak_webhook_write", gives: ["read_webhook_endpoints"] },
  // Reconciliation lists events to find those that did not arrive.
  { permission: "rak_event_read", gives: ["read_events"] },
  // The rest: an import lists these objects, the nightly comparison and ties of one second ask for single ones.
  { permission: "rak_customer_read", gives: ["read_customers"] },
  { permission: "rak_subscription_read", gives: ["read_subscriptions", "read_subscription_schedules"] },
  // What pays an invoice has no right of its own at Stripe: it goes with the invoice's.
  { permission: "rak_invoice_read", gives: ["read_invoices", "read_invoice_payments", "read_invoice_items"] },
  { permission: "rak_payment_intent_read", gives: ["read_payments"] },
  // Refunds have none either: Stripe's one row is "Charges and Refunds".
  { permission: "rak_charge_read", gives: ["read_charges", "read_refunds"] },
  { permission: "rak_dispute_read", gives: ["read_disputes"] },
  { permission: "rak_checkout_session_read", gives: ["read_checkout_sessions"] },
  { permission: "rak_payment_links_read", gives: ["read_payment_links"] },
  { permission: "rak_payment_method_read", gives: ["read_payment_methods"] },
  { permission: "rak_setup_intent_read", gives: ["read_setup_intents"] },
  { permission: "rak_review_read", gives: ["read_reviews"] },
  { permission: "rak_credit_note_read", gives: ["read_credit_notes"] },
  { permission: "rak_quote_read", gives: ["read_quotes"] },
  { permission: "rak_product_read", gives: ["read_products"] },
  { permission: "rak_plan_read", gives: ["read_prices", "read_plans"] },
  { permission: "rak_coupon_read", gives: ["read_coupons"] },
  { permission: "rak_promotion_code_read", gives: ["read_promotion_codes"] },
  { permission: "rak_tax_rate_read", gives: ["read_tax_rates"] },
  { permission: "rak_billing_meter_read", gives: ["read_meters"] },
  { permission: "rak_payout_read", gives: ["read_payouts"] },
  // What is in a payout, and what it is of.
  { permission: "rak_balance_transaction_source_read", gives: ["read_balance_transactions"] },
  { permission: "rak_top_up_read", gives: ["read_topups"] },
  { permission: "rak_transfer_read", gives: ["read_transfers"] },
  { permission: "rak_application_fee_read", gives: ["read_application_fees"] },
];

/** Stripe's page on which a key with these rights is made. */
export function newKeyPage(mode: Mode): string {
  return newRestrictedKey(
    mode,
    words.shell.product,
    KEY_RIGHTS.map(({ permission }) => permission),
  );
}

export type RightState = "ok" | "denied" | "unknown";

/** A right of the key that is set: what it is called, at Stripe where that is known, and whether the key has it. */
export interface ShownRight {
  name: string;
  title: string;
  /** The row of Stripe's page that gives it; null for a right of a later release. */
  row: string | null;
  /** What is missing without it; null in the same way. */
  why: string | null;
  state: RightState;
}

/** The rights as the settings name them; the API may name more in a later release. */
export function rightsOf(rights: object): ShownRight[] {
  return Object.entries(rights).map(([name, state]) => {
    const right = KEY_RIGHTS.find(({ gives }) => gives.some((given) => given === name));
    const row = right && words.stripe.key.rows[right.permission];
    return {
      name,
      title: plain(name),
      row: row ? words.stripe.key.rowOf(row.row, row.level) : null,
      why: row?.without ?? null,
      state: state === "ok" || state === "denied" ? state : "unknown",
    };
  });
}

/** The rights that Stripe refuses, one by one. */
export const missingRights = (rights: object) => rightsOf(rights).filter(({ state }) => state === "denied");
