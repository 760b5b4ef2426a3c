// What a record names, as the API tells it: what people call it, and whether there is a record of it. Of what
// the API found out by itself only the id is known.
import type { Kind } from "../../api/kinds.ts";
import type { components } from "../../api/types.gen.ts";
import { kindsOf } from "../../format/ids.ts";
import { OWN } from "./parts-of.ts";
import { type AnyRecord, referenceIn } from "./record.ts";

type Schemas = components["schemas"];
/** An object that is named; its kind can be one of a later release. */
export type KnownObject = Omit<Schemas["KnownObjectFields"], "kind"> & { kind: string };
export type Reference = KnownObject & Pick<Schemas["RecordReference"], "member" | "called_after">;

/** Another object that a record leads to. */
export interface Linked {
  kind: string;
  id: string;
  /** What people know it by, the most telling first; none where only its id is known. */
  names: string[];
  /** Whether there is a record of it; null where nobody asked. */
  here: boolean | null;
  deleted: boolean;
}

/** The members of an invoice's lines, which have a table of their own. */
const OF_LINES = "lines.data.";

const isOfLines = (record: AnyRecord, { member }: Reference) =>
  record.kind === "invoices" && member.startsWith(OF_LINES);

/** What is known of an object that is named: a price is called by its product's name, then by its own. */
function told(reference: Reference): Linked {
  const { kind, id, here, deleted, label, called_after } = reference;
  const names = [called_after?.label, label].filter((name): name is string => typeof name === "string");
  return { kind, id, names: [...new Set(names)], here, deleted };
}

/** What a kind and an id name, of which nothing is told. */
const unknown = (kind: string, id: string): Linked => ({ kind, id, names: [], here: null, deleted: false });

/** The objects that it names, and those that the API found out. Each once, in the order of the kinds. */
export function linkedOf(record: AnyRecord, kinds: readonly Kind[]): Linked[] {
  const named = (record.references ?? []).filter((one) => !isOfLines(record, one)).map(told);
  const links = Object.values(record.links ?? {}).map((id) => ["links", id] as const);
  const found = [...Object.entries(record), ...links].flatMap(([name, value]): Linked[] => {
    if (OWN.has(name)) return [];
    return (Array.isArray(value) ? value : [value]).flatMap((id): Linked[] => {
      if (typeof id !== "string") return [];
      const of = kinds.find((one) => one.kind === name) ?? kindsOf(id, kinds)[0];
      return of ? [unknown(of.kind, id)] : [];
    });
  });
  return inOrder(
    [...named, ...found].filter(({ id }) => id !== record.id),
    kinds,
  );
}

/** What a line of an invoice names, such as its product and its price. */
export function linkedOfLine(line: unknown, record: AnyRecord, kinds: readonly Kind[]): Linked[] {
  const references = (record.references ?? []).filter((one) => isOfLines(record, one));
  const known = new Map(references.map((one) => [`${one.kind}/${one.id}`, told(one)]));
  // The lines after the first hundred references name by the same members.
  const members = new Map(references.map((one) => [`${one.member}/${one.kind}`, one]));
  const named = [...members.values()].flatMap(({ member, kind }): Linked[] => {
    const id = referenceIn(line, member.slice(OF_LINES.length));
    return id ? [known.get(`${kind}/${id}`) ?? unknown(kind, id)] : [];
  });
  const all = inOrder(named, kinds);
  // The plan of an older line has the id of its price.
  return all.filter(({ id }, n) => all.findIndex((one) => one.id === id) === n);
}

/** What is told of one that a record names. */
export function toldOf(record: AnyRecord, kind: string, id: string): Linked | undefined {
  const reference = record.references?.find((one) => one.kind === kind && one.id === id);
  return reference && told(reference);
}

/** Each once, as it is told first, in the order of the kinds. */
function inOrder(all: readonly Linked[], kinds: readonly Kind[]): Linked[] {
  const seen = new Set<string>();
  const order = (kind: string) => kinds.findIndex((one) => one.kind === kind);
  return all
    .filter(({ kind, id }) => !seen.has(`${kind}/${id}`) && seen.add(`${kind}/${id}`))
    .sort((a, b) => order(a.kind) - order(b.kind));
}
