// A record as these pages read it: of any kind, also one that a later release adds. What it is known by, what it
// sums up to, and when it was made come from the description of its kind.
import type { Kind } from "../../api/kinds.ts";
import type { PayoutTransactions, Settlement } from "../../api/payouts.ts";
import type { components } from "../../api/types.gen.ts";
import type { Integer, LedgerEvent, PaymentState } from "../../api/types.ts";
import { isInteger } from "../../format/money.ts";
import { member } from "../../format/text.ts";
import { to } from "../../links.ts";
import { paymentState, recordStatus, type Shown } from "../../parts/state-of.ts";
import type { Reference } from "./references.ts";

type Schemas = components["schemas"];
type Fields = Omit<Schemas["RecordFields"], "kind" | "object">;
type OfPayment = Omit<Schemas["PaymentFields"], "kind" | "charges" | "refunds" | "disputes">;

/** A record of any kind; what only some kinds have may be missing. */
export interface AnyRecord extends Fields, Partial<OfPayment> {
  kind: string;
  object: Record<string, unknown>;
  /** The parts of a payment; the newest of a customer. */
  charges?: AnyRecord[];
  refunds?: AnyRecord[];
  disputes?: AnyRecord[];
  /** Of a payout: when it arrives, a date in UTC, what it costs itself, and what it is made of. */
  arrival_date?: string | null;
  fee?: Integer | null;
  transactions?: PayoutTransactions;
  /** Of a payment and its parts: what of it comes to the bank. Null while nothing of that is known. */
  settlement?: Settlement | null;
  /** Of a balance transaction: what it is of, and the payout that it is in. */
  links?: Record<string, string | null>;
  /** What its object names, at most a hundred, and how many more. */
  references?: Reference[];
  references_left_out?: number;
  timeline?: LedgerEvent[];
  history?: Schemas["PaymentChange"][];
}

/** A payment: its sums are there. */
export type PaymentRecord = AnyRecord & OfPayment;

/** An answer of the API as a record of any kind. */
export function anyRecord(answer: object): AnyRecord {
  return answer as AnyRecord;
}

/** Whether a value of an answer is a record. */
export function isRecord(value: unknown): value is AnyRecord {
  if (typeof value !== "object" || value === null) return false;
  const { id, kind, object } = value as Record<string, unknown>;
  return typeof id === "string" && typeof kind === "string" && typeof object === "object" && object !== null;
}

/** Whether it is a payment, with the sums that its parts come to. */
export function isPayment(record: AnyRecord): record is PaymentRecord {
  return typeof record.state === "string" && isInteger(record.amount);
}

/** What people know it by, the best first: texts of Stripe's or of others, each with its member. */
export function namesOf(record: AnyRecord, kind: Kind | undefined): { member: string; text: string }[] {
  return (kind?.labels ?? []).flatMap((label) => {
    const text = member(record.object, label);
    return typeof text === "string" && text.trim() !== "" ? [{ member: label, text }] : [];
  });
}

/** What people know it by, the texts alone. */
export function labelsOf(record: AnyRecord, kind: Kind | undefined): string[] {
  return namesOf(record, kind).map(({ text }) => text);
}

/** What it is called: its best label, else its id. */
export function nameOf(record: AnyRecord, kind: Kind | undefined): string {
  return labelsOf(record, kind)[0] ?? record.id;
}

/** Its sum; null where its kind has none, or it is not there. */
export function amountOf(record: AnyRecord, kind: Kind | undefined): Integer | null {
  if (isPayment(record)) return record.amount;
  const amount = kind?.amount ? member(record.object, kind.amount) : null;
  return isInteger(amount) ? amount : null;
}

/** When Stripe made it, in unix seconds; null where it does not say. */
export function createdOf(record: AnyRecord): number | null {
  return secondsIn(record.object, "created");
}

/** A time of Stripe's, in unix seconds, at a dotted path of an object. */
export function secondsIn(object: unknown, path: string): number | null {
  const value = member(object, path);
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** A text at a dotted path of an object, if it is one. */
export function textIn(object: unknown, path: string): string | null {
  const value = member(object, path);
  return typeof value === "string" && value !== "" ? value : null;
}

/** An integer at a dotted path of an object, if it is one. */
export function integerIn(object: unknown, path: string): Integer | null {
  const value = member(object, path);
  return isInteger(value) ? value : null;
}

/** The id that a member holds, as a text or within the object that it names. */
export function referenceIn(object: unknown, path: string): string | null {
  return textIn(object, path) ?? textIn(object, `${path}.id`);
}

/** The state that it is shown in: a payment's own, else Stripe's status; null where it has none. */
export function stateOf(record: AnyRecord): Shown | null {
  if (record.state) return paymentState(record.state as PaymentState);
  return record.status ? recordStatus(record.status) : null;
}

/** The page of a record. */
export function recordPage(record: AnyRecord): string {
  return to.record(record.kind, record.id, record.account);
}

/** The list of all events of a record. */
export function eventsPage(record: AnyRecord, kind: Kind | undefined): string {
  const object = textIn(record.object, "object") ?? kind?.object;
  return to.events({ object: object ? `${object}/${record.id}` : record.id, account: record.account });
}
