// What an id is of, by what it begins with, so that every id leads to its page.
import type { Kind } from "../api/kinds.ts";
import { to } from "../links.ts";

/** The kinds whose ids begin like this one; several where the beginnings do not tell them apart. */
export function kindsOf(id: string, kinds: readonly Kind[]): Kind[] {
  const fits = (kind: Kind) =>
    Math.max(0, ...kind.id_prefixes.filter((p) => id.startsWith(`${p}_`)).map((p) => p.length));
  const longest = Math.max(0, ...kinds.map(fits));
  return longest === 0 ? [] : kinds.filter((kind) => fits(kind) === longest);
}

/** The kind that holds objects of Stripe's type, such as `payment_intent`. */
export function kindOfObject(object: string, kinds: readonly Kind[]): Kind | undefined {
  return kinds.find((kind) => kind.object === object);
}

/** The page of an id: an event's, a record's; null where nothing here is known by it. */
export function pageOf(id: string, kinds: readonly Kind[], account?: string | null): string | null {
  if (id.startsWith("evt_")) return to.event(id);
  const [kind] = kindsOf(id, kinds);
  return kind ? to.record(kind.kind, id, account) : null;
}
