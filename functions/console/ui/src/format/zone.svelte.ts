// In which zone times are shown: the person's own, or UTC, as Stripe and logs say them.
import { keep, recall } from "../session/tab-storage.ts";

export type Zone = "local" | "utc";
const KEY = "billhook.zone";

let chosen = $state<Zone>(recall(KEY) === "utc" ? "utc" : "local");

export function zone(): Zone {
  return chosen;
}

/** Shows all times in a zone; this tab remembers it. */
export function setZone(next: Zone): void {
  chosen = next;
  keep(KEY, next);
}

/** The person's own zone, by its name in the tz database. */
export function localZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** The name of the zone that times are in. */
export function zoneName(): string {
  return chosen === "utc" ? "UTC" : localZone();
}
