// States of events, payments, endpoints and records, and the names of kinds. A state that is not here is shown as
// Stripe names it.
import type { EndpointState, EventState, HealthStatus, PaymentState } from "../../api/types.ts";

interface State {
  word: string;
  hint?: string;
}

export const eventStates = {
  pending: { word: "Pending", hint: "Stored, and about to be applied." },
  processed: { word: "Processed", hint: "Applied: the record is as new as this event." },
  superseded: { word: "Superseded", hint: "The record already shows something later." },
  ignored: { word: "Ignored", hint: "Nothing is to be done with it." },
  quarantined: {
    word: "Quarantined",
    hint: "Of the other mode, or not readable. It waits for an admin.",
  },
  failed: { word: "Failed", hint: "Could not be applied. It is tried again by itself." },
  dead: { word: "Dead", hint: "Its tries are used up. It waits for an admin." },
} satisfies Record<EventState, State>;

export const paymentStates = {
  pending: { word: "Pending", hint: "Nothing is decided yet." },
  completed: { word: "Completed", hint: "Paid." },
  failed: { word: "Failed", hint: "The last attempt failed; another may follow." },
  canceled: { word: "Canceled", hint: "Given up." },
  partially_refunded: { word: "Partially refunded", hint: "A part was given back." },
  refunded: { word: "Refunded", hint: "All of it was given back." },
  disputed: { word: "Disputed", hint: "The bank has taken the money back, or may." },
} satisfies Record<PaymentState, State>;

export const endpointStates = {
  registering: { word: "Registering", hint: "Being made at Stripe." },
  active: { word: "Active", hint: "As it is wanted, at Stripe and here." },
  changing: { word: "Changing", hint: "A change is on its way to Stripe." },
  rotating: { word: "Rotating", hint: "A new signing secret takes over." },
  disabled: { word: "Disabled", hint: "Stripe sends nothing to it." },
  deregistering: { word: "Deregistering", hint: "Being removed." },
} satisfies Record<EndpointState, State>;

export const health = {
  active: { word: "Active", hint: "Stripe’s events arrive and are applied." },
  inactive: {
    word: "Inactive",
    hint: "Nothing is wrong, but no endpoint has proved that it works.",
  },
  error: { word: "Error", hint: "Events are kept out of the records, or may be." },
} satisfies Record<HealthStatus, State>;

/** Names of kinds, one and many; a kind that is not here is named by itself. */
export const kinds: Partial<Record<string, { one: string; other: string }>> = {
  customers: { one: "customer", other: "customers" },
  subscriptions: { one: "subscription", other: "subscriptions" },
  invoices: { one: "invoice", other: "invoices" },
  invoice_payments: { one: "invoice payment", other: "invoice payments" },
  payments: { one: "payment", other: "payments" },
  charges: { one: "charge", other: "charges" },
  refunds: { one: "refund", other: "refunds" },
  disputes: { one: "dispute", other: "disputes" },
  early_fraud_warnings: { one: "early fraud warning", other: "early fraud warnings" },
  reviews: { one: "review", other: "reviews" },
  payment_methods: { one: "payment method", other: "payment methods" },
  setup_intents: { one: "setup intent", other: "setup intents" },
  mandates: { one: "mandate", other: "mandates" },
  checkout_sessions: { one: "checkout session", other: "checkout sessions" },
  payment_links: { one: "payment link", other: "payment links" },
  invoice_items: { one: "invoice item", other: "invoice items" },
  credit_notes: { one: "credit note", other: "credit notes" },
  quotes: { one: "quote", other: "quotes" },
  subscription_schedules: { one: "subscription schedule", other: "subscription schedules" },
  products: { one: "product", other: "products" },
  prices: { one: "price", other: "prices" },
  plans: { one: "plan", other: "plans" },
  coupons: { one: "coupon", other: "coupons" },
  promotion_codes: { one: "promotion code", other: "promotion codes" },
  tax_ids: { one: "tax ID", other: "tax IDs" },
  tax_rates: { one: "tax rate", other: "tax rates" },
  credit_grants: { one: "credit grant", other: "credit grants" },
  credit_balance_transactions: {
    one: "credit balance transaction",
    other: "credit balance transactions",
  },
  customer_balance_transactions: {
    one: "customer balance transaction",
    other: "customer balance transactions",
  },
  meters: { one: "meter", other: "meters" },
  payouts: { one: "payout", other: "payouts" },
  balance_transactions: { one: "balance transaction", other: "balance transactions" },
  topups: { one: "top-up", other: "top-ups" },
  transfers: { one: "transfer", other: "transfers" },
  application_fees: { one: "application fee", other: "application fees" },
};

/** Why an event was ignored; another reason is an admin's own words, or the program's. */
export const ignoredBecause: Partial<Record<string, string>> = {
  type: "Events of this type change no record here.",
  filter: "The settings ignore events of this type.",
  no_record: "It is a preview of something that does not exist yet.",
  other_mode_at_connect: "It is of the other mode, as connected accounts send both.",
  probe: "It was a request of Billhook’s own, to see whether deliveries arrive.",
  made_up: "It is a test of Stripe’s dashboard, about an object that does not exist.",
  erased: "Its payload was erased with a customer’s personal data.",
};
