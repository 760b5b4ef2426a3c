// Events and records as the API gives them.
import type { BulkOutcome, LedgerEvent, ListedRecord, WholeEvent } from "../../src/api/types.ts";

/** An event; `n` makes it another one, a second older than the one before. */
export function event(n: number, rest: Partial<LedgerEvent> = {}): LedgerEvent {
  const at = new Date(Date.UTC(2026, 10, 30, 12) - n * 1000).toISOString();
  return {
    id: `evt_${String(n).padStart(8, "0")}`,
    type: "invoice.paid",
    state: "processed",
    reason: null,
    by: null,
    account: null,
    object: "in_1SampleInvoice",
    endpoint: "main",
    source: "delivery",
    created: at,
    received_at: at,
    marked_at: at,
    attempts: 0,
    due_at: null,
    expires_at: null,
    erased: false,
    ...rest,
  };
}

export function wholeEvent(rest: Partial<WholeEvent> = {}): WholeEvent {
  const one = event(0);
  return {
    ...one,
    last_error: null,
    history: [{ at: one.received_at, state: "pending", reason: null, by: null, attempts: 0 }],
    payload: {
      id: one.id,
      object: "event",
      data: { object: { id: "in_1SampleInvoice", object: "invoice" } },
    },
    ...rest,
  };
}

export function record(kind: string, id: string, rest: Record<string, unknown> = {}): ListedRecord {
  return {
    id,
    kind,
    account: null,
    status: null,
    customer: null,
    currency: "eur",
    deleted: false,
    as_of: "2026-11-30T12:00:00Z",
    event: null,
    fetched: false,
    order_uncertain: false,
    gone_at_stripe: false,
    erased: false,
    complete: true,
    incomplete_reason: null,
    object: {},
    ...rest,
  } as unknown as ListedRecord;
}

export function outcome(rest: Partial<BulkOutcome> = {}): BulkOutcome {
  return { matching: 0, changed: 0, overtaken: 0, failed: 0, dry_run: false, next_cursor: null, ...rest };
}

export const status = {
  status: "active",
  mode: "test",
  endpoints: [],
  checks: [],
  counts: { pending: 0, failed: 0, dead: 0, quarantined: 0 },
  last_day: [],
};

export const kinds = {
  data: [
    ["customers", "customer", ["cus_"]],
    ["invoices", "invoice", ["in_"]],
    ["disputes", "dispute", ["dp_", "du_"]],
  ].map(([kind, object, id_prefixes]) => ({
    kind,
    object,
    id_prefixes,
    statuses: [],
    amount: null,
    labels: [],
    references: [],
  })),
};
