// A payout as people ask about it: what it is called, and whether what is in it adds up to it.
import type { PayoutTransactions } from "../../../api/payouts.ts";
import type { Integer } from "../../../api/types.ts";
import { isInteger, takenAway } from "../../../format/money.ts";
import { member } from "../../../format/text.ts";
import { arrivalDay } from "../../../parts/arrival.ts";
import type { Shown } from "../../../parts/state-of.ts";
import { words } from "../../../words/words.ts";
import type { AnyRecord } from "../record.ts";

/** What it is called on its page. */
export const payoutTitle = (record: AnyRecord): string => words.payouts.title(arrivalDay(record));

/** Whether what is in it adds up to it. */
export function addsUp(of: PayoutTransactions | undefined): Shown {
  const said = words.payouts.adds;
  if (of?.adds_up === true) return { ...said.yes, tone: "good" };
  if (of?.adds_up === false) return { ...said.no, tone: "bad" };
  if (of?.state === "not_listed") return { ...said.never, tone: "calm" };
  return { ...said.unknown, hint: of?.message ?? said.unknown.hint, tone: "unknown" };
}

const TONES = {
  complete: "good",
  listing: "waiting",
  waiting: "waiting",
  not_listed: "calm",
  refused: "warn",
} as const;

/** How far its transactions are known. */
export function listingState({ state }: PayoutTransactions): Shown {
  const word = Object.hasOwn(TONES, state) ? words.payouts.in.states[state] : state;
  return { word, tone: TONES[state] ?? "unknown" };
}

/** A line of the sums: of a type, of all, the payout itself, and the difference where there is one. */
export interface SumLine {
  name: string;
  /** Whether the name is a type of Stripe's. */
  ofType: boolean;
  count: number | null;
  currency: string | null;
  amount: Integer | null;
  /** What it takes away, so that gross and fees come to net. */
  fees: Integer | null;
  net: Integer | null;
}

/** The sums, line by line, less what the payout itself costs, down to the payout. Currencies are never added. */
export function sumLines(of: PayoutTransactions, paidOut: Integer | null, ownFee: Integer | null): SumLine[] {
  const said = words.payouts.in;
  const lines: SumLine[] = of.sums.map((sum) => ({
    name: sum.type,
    ofType: true,
    count: sum.count,
    currency: sum.currency,
    amount: sum.amount,
    fees: takenAway(sum.fee),
    net: sum.net,
  }));
  const { currency } = of;
  const total = { ofType: false, count: null, currency, amount: null, fees: null, net: null };
  if (of.net !== null) {
    const { count, amount, net } = of;
    lines.push({ ...total, name: said.all, count, amount, fees: takenAway(of.fee), net });
  }
  if (ownFee !== null && BigInt(ownFee) !== 0n)
    lines.push({ ...total, name: said.ownFee, fees: takenAway(ownFee), net: takenAway(ownFee) });
  if (paidOut !== null) lines.push({ ...total, name: said.paidOut, net: paidOut });
  if (of.difference !== null && BigInt(of.difference) !== 0n)
    lines.push({ ...total, name: said.difference, net: of.difference });
  return lines;
}

/** One of several fees of a transaction. */
export interface Fee {
  type: string;
  amount: Integer;
  currency: string;
}

/** The fees one by one, as Stripe has them; what is none is left out. */
export function feesOf(details: unknown): Fee[] {
  return (Array.isArray(details) ? details : []).flatMap((detail: unknown): Fee[] => {
    const [type, amount, currency] = ["type", "amount", "currency"].map((name) => member(detail, name));
    if (typeof type !== "string" || typeof currency !== "string" || !isInteger(amount)) return [];
    return [{ type, amount, currency }];
  });
}
