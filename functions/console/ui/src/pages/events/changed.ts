// What an event changed: Stripe's `previous_attributes` beside the object that came with it.

import { writeJson } from "../../api/json.ts";
import { isInteger, money } from "../../format/money.ts";
import { member } from "../../format/text.ts";
import { dateTime } from "../../format/time.ts";

export interface Change {
  /** The member, dotted. */
  field: string;
  /** What it was; `undefined` where it was not there. */
  before: unknown;
  after: unknown;
}

/** The members that changed. Objects are gone into, lists are compared whole: their places mean nothing. */
export function changesOf(payload: unknown): Change[] {
  const before = member(payload, "data.previous_attributes");
  const object = member(payload, "data.object");
  if (!isObject(before)) return [];
  const changes: Change[] = [];
  const walk = (was: Record<string, unknown>, is: unknown, path: string) => {
    for (const [name, value] of Object.entries(was)) {
      const field = path ? `${path}.${name}` : name;
      const now = isObject(is) ? is[name] : undefined;
      if (isObject(value) && isObject(now) && Object.keys(value).length > 0) walk(value, now, field);
      else changes.push({ field, before: value, after: now });
    }
  };
  walk(before, object, "");
  return changes;
}

const AMOUNT =
  /(^|[._])(amount|total|subtotal|balance|tax|fee|net)($|_)|_(amount|due|paid|remaining|total|captured|refunded)$/;
const TIME = /(_at|_by|_start|_end|_date|_attempt|^created|\.created|^start|\.start|\.end)$/;

/** A value as text: sums in the object's currency, unix seconds as times, all else as JSON has it. */
export function shownValue(field: string, value: unknown, currency: unknown): string {
  if (isInteger(value)) {
    const seconds = Number(value);
    if (TIME.test(field) && seconds > 900_000_000 && seconds < 9_000_000_000) return dateTime(seconds);
    if (AMOUNT.test(field) && typeof currency === "string" && /^[a-z]{3}$/i.test(currency)) {
      return money(value, currency);
    }
  }
  return typeof value === "string" ? value : writeJson(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
