// When a payout arrives at the bank, and whether it is late.
import { member } from "../format/text.ts";
import { millis, weekday } from "../format/time.ts";

const DAY_MS = 86_400_000;
/** Statuses in which the money is still to come. */
const COMING = ["pending", "in_transit"];

/** What is read of a payout. */
interface Payout {
  status: string | null;
  object: object;
  arrival_date?: string | null;
}

/** When it arrives, as the API gives it or as the object has it: a midnight in UTC. Null where it is not known. */
export function arrivalOf(payout: Payout): string | number | null {
  const seconds = member(payout.object, "arrival_date");
  return payout.arrival_date ?? (typeof seconds === "number" ? seconds : null);
}

/** The day of its arrival, in words. */
export function arrivalDay(payout: Payout): string | null {
  const at = arrivalOf(payout);
  return at === null ? null : weekday(at);
}

/** Whether it should have arrived: over two days have passed since its date began. */
export function isLate(payout: Payout, now: number): boolean {
  const at = arrivalOf(payout);
  return at !== null && COMING.includes(payout.status ?? "") && now - millis(at) > 2 * DAY_MS;
}
