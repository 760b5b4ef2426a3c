// How long events took, by the hour: how many within a few seconds, within a minute, and so on.
import { duration } from "../../format/time.ts";
import { to } from "../../links.ts";
import type { Bar, Series } from "../../parts/bars.ts";
import { words } from "../../words/words.ts";
import { eachHour, type Hour } from "./day.ts";

type Within = Hour["lag"][number]["within_s"];

const TONES = ["good", "calm", "warn", "bad"] as const;

const key = (within: Within) => String(within ?? "longer");

/** How long that is at most, in words; none is for what took longer than all else. */
export function withinWords(within: Within, of: readonly Within[]): string {
  if (within !== null) return words.overview.within(duration(within * 1_000));
  const longest = Math.max(0, ...of.map((bound) => bound ?? 0));
  return words.overview.longer(duration(longest * 1_000));
}

/** The bounds that the API counts by, the shortest first. */
export function boundsOf(hours: readonly Hour[]): Within[] {
  return hours[0]?.lag.map(({ within_s }) => within_s) ?? [];
}

export function lagSeries(bounds: readonly Within[]): Series[] {
  return bounds.map((within, n) => ({
    key: key(within),
    label: withinWords(within, bounds),
    tone: TONES[n] ?? "bad",
  }));
}

/** A bar for each hour; all of it leads to the events of the hour that are applied. */
export function lagBars(hours: readonly Hour[], thisHour: number): Bar[] {
  return eachHour(hours, thisHour, (hour, when, label) => {
    const link = { href: to.events({ state: "processed", ...when }), name: words.overview.eventsFrom(label) };
    const lags = hour?.lag ?? [];
    return {
      values: Object.fromEntries(lags.map(({ within_s, events }) => [key(within_s), events])),
      links: Object.fromEntries(lags.map(({ within_s }) => [key(within_s), link])),
    };
  });
}

/** Within how long half of the day's events were applied, and the slowest of them; null without an event. */
export function lagSums(hours: readonly Hour[]): { half: Within; slowest: Within } | null {
  const bounds = boundsOf(hours);
  const counts = bounds.map((_, n) => hours.reduce((sum, { lag }) => sum + (lag[n]?.events ?? 0), 0));
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  let seen = 0;
  const half = counts.findIndex((count) => {
    seen += count;
    return seen * 2 >= all;
  });
  const slowest = counts.findLastIndex((count) => count > 0);
  return { half: bounds[half] ?? null, slowest: bounds[slowest] ?? null };
}
