// The word of the webhook's health: it counts as long as the answer that says it is fresh.
import type { HealthStatus } from "../api/types.ts";
import { now } from "../format/now.svelte.ts";
import { dateTime } from "../format/time.ts";
import { words } from "../words/words.ts";
import { healthState, type Shown } from "./state-of.ts";

/** A status that was not read again for so long is none any more. */
const STALE_MS = 60_000;

/** When a query last brought an answer (unix seconds), if that is too long ago; null while it is fresh. */
export function staleSince({ dataUpdatedAt }: { dataUpdatedAt: number }): number | null {
  return dataUpdatedAt > 0 && now() - dataUpdatedAt > STALE_MS ? dataUpdatedAt / 1000 : null;
}

/** What is said of a health; `since` is when it was last read, if that is too long ago. */
export function healthShown(status: HealthStatus | undefined, since: number | null): Shown {
  const said = words.stripe.status;
  if (status === undefined) return { word: said.unknown, tone: "unknown", hint: said.unknownText };
  const known = healthState(status);
  if (since === null) return known;
  return { word: said.unknown, tone: "unknown", hint: said.stale(known.word, dateTime(since)) };
}
