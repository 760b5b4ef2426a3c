// What an answer holds beside the record's own fields, for any kind: lists of whole records by their kind, and ids
// of others. A kind that a later release adds to an answer shows by itself.
import type { Kind } from "../../api/kinds.ts";
import { kindsOf } from "../../format/ids.ts";
import { type AnyRecord, isRecord, referenceIn } from "./record.ts";

const OWN = new Set([
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

/** Another object that a record names. */
export interface Linked {
  kind: string;
  id: string;
}

/** The objects that it names: by its kind's references, and by what the API found out. Each once. */
export function linkedOf(record: AnyRecord, kind: Kind | undefined, kinds: readonly Kind[]): Linked[] {
  const named = (kind?.references ?? []).flatMap((reference): Linked[] => {
    const id = referenceIn(record.object, reference.member);
    return id ? [{ kind: reference.kind, id }] : [];
  });
  const links = Object.values(record.links ?? {}).map((id) => ["links", id] as const);
  const found = [...Object.entries(record), ...links].flatMap(([name, value]): Linked[] => {
    if (OWN.has(name)) return [];
    return (Array.isArray(value) ? value : [value]).flatMap((id): Linked[] => {
      if (typeof id !== "string") return [];
      const of = kinds.find((one) => one.kind === name) ?? kindsOf(id, kinds)[0];
      return of ? [{ kind: of.kind, id }] : [];
    });
  });
  const seen = new Set<string>();
  const order = (kind: string) => kinds.findIndex((one) => one.kind === kind);
  return [...named, ...found]
    .filter(
      (one) =>
        one.id !== record.id && !seen.has(`${one.kind}/${one.id}`) && seen.add(`${one.kind}/${one.id}`),
    )
    .sort((a, b) => order(a.kind) - order(b.kind));
}

/** So many payments of an invoice are looked at. */
const PAYMENTS = 10;

/** The ids of the payments that paid an invoice or are to. */
export function paymentIds(record: AnyRecord): string[] {
  const ids: unknown =
    record.kind === "invoices" ? (record as unknown as Record<string, unknown>).payments : [];
  return (Array.isArray(ids) ? ids : []).filter((id) => typeof id === "string").slice(0, PAYMENTS);
}
