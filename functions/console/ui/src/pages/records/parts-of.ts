// What an answer holds beside the record's own fields, for any kind: lists of whole records by their kind. A kind
// that a later release adds to an answer shows by itself.
import type { Kind } from "../../api/kinds.ts";
import { type AnyRecord, isRecord } from "./record.ts";

/** The fields that every record has, and those that are shown by name. */
export const OWN = new Set([
  "id",
  "kind",
  "account",
  "status",
  "customer",
  "currency",
  "deleted",
  "as_of",
  "event",
  "fetched",
  "order_uncertain",
  "gone_at_stripe",
  "erased",
  "complete",
  "incomplete_reason",
  "references",
  "references_left_out",
  "object",
  "state",
  "amount",
  "timeline",
  "history",
]);

/** Records of a kind that an answer holds. */
export interface Part {
  kind: string;
  records: AnyRecord[];
}

/** The lists of whole records that an answer holds, in the order of the kinds. */
export function partsOf(record: AnyRecord, kinds: readonly Kind[]): Part[] {
  return kinds.flatMap(({ kind }) => {
    const list = OWN.has(kind) ? undefined : (record as unknown as Record<string, unknown>)[kind];
    if (!Array.isArray(list) || list.some((item) => !isRecord(item))) return [];
    return [{ kind, records: list as AnyRecord[] }];
  });
}

/** So many payments of an invoice are looked at. */
const PAYMENTS = 10;

/** The ids of the payments that paid an invoice or are to. */
export function paymentIds(record: AnyRecord): string[] {
  const ids: unknown =
    record.kind === "invoices" ? (record as unknown as Record<string, unknown>).payments : [];
  return (Array.isArray(ids) ? ids : []).filter((id) => typeof id === "string").slice(0, PAYMENTS);
}
