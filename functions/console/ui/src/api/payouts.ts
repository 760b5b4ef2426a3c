// What is in a payout, and what became of a payment's money on its way to the bank.
import type { Integer, Page } from "./types.ts";

/** How far a payout's transactions are known. */
export type ListingState = "complete" | "listing" | "waiting" | "not_listed" | "refused";

/** Sums over the transactions of one type and currency. */
export interface TypeSum {
  type: string;
  currency: string;
  count: number;
  amount: Integer;
  fee: Integer;
  net: Integer;
}

/** What a payout is made of, summed up. */
export interface PayoutTransactions {
  state: ListingState;
  message: string;
  as_of: string | null;
  count: number;
  currency: string;
  /** Null where some are of another currency. */
  amount: Integer | null;
  fee: Integer | null;
  net: Integer | null;
  /** Null where nobody can say yet. */
  adds_up: boolean | null;
  /** The payout's amount less the sum of `net`. */
  difference: Integer | null;
  sums: TypeSum[];
  /** Transactions that another payout names as well. */
  of_other_payouts: string[];
}

/** One transaction of a payout. */
export interface Transaction {
  id: string;
  account: string | null;
  type: string;
  reporting_category: string | null;
  description: string | null;
  created: string;
  available_on: string | null;
  status: string;
  currency: string;
  amount: Integer;
  fee: Integer;
  net: Integer;
  fee_details: { type: string; description: string | null; amount: Integer; currency: string }[];
  source: string | null;
  charge: string | null;
  refund: string | null;
  dispute: string | null;
  payment: string | null;
  invoice: string | null;
  customer: string | null;
  payout: string | null;
}

export type TransactionPage = Page<Transaction>;

/** A balance transaction of a payment, charge, refund or dispute. */
export interface SettledBy {
  id: string;
  type: string;
  currency: string;
  amount: Integer;
  fee: Integer;
  net: Integer;
  available_on: string | null;
  status: string;
  payout: string | null;
  payout_status: string | null;
  arrival_date: string | null;
}

/** What of a payment, charge, refund or dispute comes to the bank, and when; the payout is the latest's. */
export interface Settlement {
  /** Null where there are several; then there are no sums. */
  currency: string | null;
  amount: Integer | null;
  fee: Integer | null;
  net: Integer | null;
  available_on: string | null;
  payout: string | null;
  arrival_date: string | null;
  transactions: SettledBy[];
}
