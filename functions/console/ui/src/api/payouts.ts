// What is in a payout, and what became of a payment's money on its way to the bank.
import type { components } from "./types.gen.ts";
import type { Page } from "./types.ts";

type Schemas = components["schemas"];

/** What a payout is made of, summed up. */
export type PayoutTransactions = Schemas["PayoutTransactions"];
/** What of a payment, charge, refund or dispute comes to the bank. */
export type Settlement = NonNullable<Schemas["Settlement"]>;
/** A balance transaction of one of these. */
export type SettledBy = Settlement["transactions"][number];
/** One transaction of a payout. */
export type Transaction = Schemas["PayoutTransaction"];
export type TransactionPage = Page<Transaction>;
