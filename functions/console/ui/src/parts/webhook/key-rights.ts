// What a restricted key of Stripe has to be allowed, each with its reason. What a person reads of it is in
// `words.stripe.key.rows`, by the same names.

import { readRights } from "virtual:event-types";
import type { Mode } from "../../api/types.ts";
import { plain } from "../../format/text.ts";
import { newRestrictedKey } from "../../links.ts";
import { words } from "../../words/words.ts";

/** What a person reads of a right. */
interface KeyRow {
  row: string;
  level: string;
  why: string;
  without: string;
}

/** A right as Stripe names it, and the rights of the API's settings that it gives. */
interface Right {
  permission: string;
  gives: readonly string[];
}

export const KEY_RIGHTS: readonly Right[] = [
  // Registers, changes, rotates and removes endpoints, and reads them for the status.
  { permission: "rak_webhook_write", gives: ["read_webhook_endpoints"] },
  // Reconciliation lists events to find those that did not arrive.
  { permission: "rak_event_read", gives: ["read_events"] },
  // The rest: an import lists these objects, the nightly comparison and ties of one second ask for single ones.
  ...readRights,
];

/** What a person reads of a right: the row of Stripe's page, and what is missing without it. */
export function rowOf(permission: string): KeyRow {
  const rows: Partial<Record<string, KeyRow>> = words.stripe.key.rows;
  const what = plain(permission.replace(/^rak_|_read$/g, ""));
  const { otherLevel, otherWhy, otherWithout } = words.stripe.key;
  return (
    rows[permission] ?? { row: what, level: otherLevel, why: otherWhy(what), without: otherWithout(what) }
  );
}

/** Stripe's page on which a key with these rights is made. */
export function newKeyPage(mode: Mode): string {
  return newRestrictedKey(
    mode,
    words.shell.product,
    KEY_RIGHTS.map(({ permission }) => permission),
  );
}

export type RightState = "ok" | "denied" | "unknown";

/** A right of the key that is set: what it is called, at Stripe where that is known, and whether the key has it. */
export interface ShownRight {
  name: string;
  title: string;
  /** The row of Stripe's page that gives it; null for a right of a later release. */
  row: string | null;
  /** What is missing without it; null in the same way. */
  why: string | null;
  state: RightState;
}

/** The rights as the settings name them; the API may name more in a later release. */
export function rightsOf(rights: object): ShownRight[] {
  return Object.entries(rights).map(([name, state]) => {
    const right = KEY_RIGHTS.find(({ gives }) => gives.some((given) => given === name));
    const row = right && rowOf(right.permission);
    return {
      name,
      title: plain(name),
      row: row ? words.stripe.key.rowOf(row.row, row.level) : null,
      why: row?.without ?? null,
      state: state === "ok" || state === "denied" ? state : "unknown",
    };
  });
}

/** The rights that Stripe refuses, one by one. */
export const missingRights = (rights: object) => rightsOf(rights).filter(({ state }) => state === "denied");
