// How long is left until a deadline. Stripe gives it in unix seconds, so that neither the reader's zone nor a
// change of summer time makes it longer or shorter.
import { counted } from "../../format/number.ts";
import type { Tone } from "../../parts/tone.ts";
import { words } from "../../words/words.ts";

const HOUR_MS = 3_600_000;
/** Up to so many hours they are counted one by one; beyond it days say enough. */
const IN_HOURS = 72;

/** Whole hours left, the begun one not counted; below zero once it is over, null where there is no deadline. */
export function hoursLeft(dueBy: number | null, now: number): number | null {
  return dueBy === null ? null : Math.floor((dueBy * 1000 - now) / HOUR_MS);
}

/** The time left, in words, with how urgent it is. */
export function timeLeft(dueBy: number | null, now: number): { word: string; tone: Tone } {
  const said = words.attention.disputes;
  const hours = hoursLeft(dueBy, now);
  if (hours === null) return { word: said.noDeadline, tone: "unknown" };
  if (hours < 0) return { word: said.over, tone: "bad" };
  if (hours === 0) return { word: said.lastHour, tone: "bad" };
  if (hours < IN_HOURS) return { word: counted(hours, said.hours), tone: hours < 24 ? "bad" : "warn" };
  return { word: counted(Math.floor(hours / 24), said.days), tone: "calm" };
}
