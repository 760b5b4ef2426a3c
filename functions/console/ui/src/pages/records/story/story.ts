// What a record comes to in a sentence, and the few facts behind it: why an invoice is unpaid, until when a
// subscription runs, by when a dispute wants an answer.
import type { Integer } from "../../../api/types.ts";
import type { Tone } from "../../../parts/tone.ts";
import type { AnyRecord } from "../record.ts";
import { balanceTransactionStory } from "./balance-transaction.ts";
import { chargeStory } from "./charge.ts";
import { customerStory } from "./customer.ts";
import { disputeStory } from "./dispute.ts";
import { invoiceStory } from "./invoice.ts";
import { paymentStory } from "./payment.ts";
import { payoutStory } from "./payout.ts";
import { refundStory } from "./refund.ts";
import { subscriptionStory } from "./subscription.ts";

/** A fact: its name, and what it is. */
export type Fact = { name: string } & (
  | { text: string }
  /** A text of Stripe's or of others. */
  | { foreign: string }
  | { at: string | number }
  | { sum: Integer; currency: string | null }
  | { id: string }
);

export interface Story {
  tone: Tone;
  says: string;
  facts: Fact[];
}

/** What a story is told from. */
export interface Told {
  record: AnyRecord;
  /** The payments of an invoice, as far as they are known. */
  payments: readonly AnyRecord[];
  /** A payment that is probably the invoice's, though nothing joins the two. */
  likely?: AnyRecord | null;
  /** Milliseconds since 1970. */
  now: number;
}

const STORIES: Partial<Record<string, (told: Told) => Story | null>> = {
  customers: customerStory,
  subscriptions: subscriptionStory,
  invoices: invoiceStory,
  payments: paymentStory,
  charges: chargeStory,
  refunds: refundStory,
  disputes: disputeStory,
  payouts: payoutStory,
  balance_transactions: balanceTransactionStory,
};

/** The story of a record; null for kinds, and states, of which there is none to tell. */
export function storyOf(told: Told): Story | null {
  const { kind } = told.record;
  return Object.hasOwn(STORIES, kind) ? (STORIES[kind]?.(told) ?? null) : null;
}

/** The facts that are known, without those that are not. */
export function facts(...all: (Fact | null | false)[]): Fact[] {
  return all.filter((fact): fact is Fact => Boolean(fact));
}

/** A time as a fact; none where it is not known. */
export function time(name: string, at: string | number | null): Fact | null {
  return at === null ? null : { name, at };
}

/** A text of others as a fact. */
export function foreign(name: string, text: string | null): Fact | null {
  return text === null ? null : { name, foreign: text };
}

/** A sum as a fact. */
export function sum(name: string, amount: Integer | null, currency: string | null): Fact | null {
  return amount === null ? null : { name, sum: amount, currency };
}

/** An id as a fact, which leads to its page. */
export function named(name: string, id: string | null): Fact | null {
  return id === null ? null : { name, id };
}
