// What an event changed of its object: what it says itself (`previous_attributes`), else the difference to the
// object as the event before showed it.
import type { WholeEvent } from "../../api/types.ts";
import { isInteger } from "../../format/money.ts";
import { member } from "../../format/text.ts";

/** One member that changed. What was not there before, or is no more, is `undefined`. */
export interface Change {
  /** Names joined by dots. */
  path: string;
  before: unknown;
  after: unknown;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether two values of JSON are the same. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, n) => same(item, b[n]));
  }
  if (!isMap(a) || !isMap(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((n) => Object.hasOwn(b, n) && same(a[n], b[n]))
  );
}

const joined = (path: string, name: string) => (path ? `${path}.${name}` : name);

/** What `previous_attributes` says: each member as it was before. Within a map only what changed is named. */
export function reported(previous: unknown, object: unknown, path = ""): Change[] {
  if (!isMap(previous)) return [];
  return Object.keys(previous).flatMap((name) => {
    const before = previous[name];
    const after = isMap(object) ? object[name] : undefined;
    if (isMap(before) && isMap(after)) return reported(before, after, joined(path, name));
    return [{ path: joined(path, name), before, after }];
  });
}

/** What differs between two objects, member by member; lists are compared as a whole. */
export function differences(before: unknown, after: unknown, path = ""): Change[] {
  if (!isMap(before) || !isMap(after)) return [];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const [was, is] = [before[name], after[name]];
    if (same(was ?? null, is ?? null)) return [];
    if (isMap(was) && isMap(is)) return differences(was, is, joined(path, name));
    return [{ path: joined(path, name), before: was, after: is }];
  });
}

/** The object that an event carries; null where its payload is erased or cannot be read. */
export function objectOf(event: WholeEvent): Record<string, unknown> | null {
  const object = member(event.payload, "data.object");
  return isMap(object) ? object : null;
}

/** What an event says of what it replaced; null where it says nothing. */
export function previousOf(event: WholeEvent): Record<string, unknown> | null {
  const previous = member(event.payload, "data.previous_attributes");
  return isMap(previous) && Object.keys(previous).length > 0 ? previous : null;
}

const AMOUNT = /(^|_)(amount|total|subtotal|balance|fee|net)(_(?!count|decimal|type|details)[a-z_]+)?$/;
const TIME = /(_at|_by|_date|_start|_end|_until|_attempt|^created|^expires|^date)$/;

/** What an integer of Stripe's is by its name: a sum, a time, or just a number. */
export function meaningOf(path: string, value: unknown): "sum" | "time" | "plain" {
  const name = path.split(".").at(-1) ?? path;
  if (!isInteger(value)) return "plain";
  // A unix time of this century; smaller numbers are days or counts.
  if (TIME.test(name) && typeof value === "number" && value > 946_684_800 && value < 4_102_444_800)
    return "time";
  return AMOUNT.test(name) ? "sum" : "plain";
}
