// The last day as bars: an hour each, also those in which nothing came.
import type { EventState, Status } from "../../api/types.ts";
import { clock } from "../../format/time.ts";
import { to } from "../../links.ts";
import type { Bar, Series } from "../../parts/bars.ts";
import { eventState } from "../../parts/state-of.ts";
import { words } from "../../words/words.ts";

const HOUR_MS = 3_600_000;

export type Hour = Status["last_day"][number];

/** The states that are counted, in the order in which they stand upon each other. */
const TONES = {
  processed: "good",
  superseded: "calm",
  ignored: "faint",
  failed: "warn",
  quarantined: "odd",
  dead: "bad",
} as const satisfies Partial<Record<EventState, Series["tone"]>>;

/** The states that an event came to in the last day; all else would be a legend of nothing. */
export function statesOf(hours: readonly Hour[]): Series[] {
  const said = words.overview.series;
  return (Object.keys(TONES) as (keyof typeof TONES)[])
    .filter((key) => key === "processed" || hours.some((hour) => hour[key] > 0))
    .map((key) => ({ key, label: key === "failed" ? said.failed : eventState(key).word, tone: TONES[key] }));
}

/**
 * 24 bars, the last of which is the present hour (counted since 1970). Each leads to the events that came in during
 * its hour, and each part of it to those of them that are in its state.
 */
export function barsOf(hours: readonly Hour[], thisHour: number): Bar[] {
  return eachHour(hours, thisHour, (hour, when, label) => {
    const keys = Object.keys(TONES) as (keyof typeof TONES)[];
    const link = (state: keyof typeof TONES) => ({
      href: to.events({ state, ...when }),
      name: words.overview.eventsOf(eventState(state).word, label),
    });
    return {
      values: Object.fromEntries(keys.map((key) => [key, hour?.[key] ?? 0])),
      links: Object.fromEntries(keys.map((key) => [key, link(key)])),
    };
  });
}

/** A bar for each of the last 24 hours, whether anything is known of it or not. */
export function eachHour(
  hours: readonly Hour[],
  thisHour: number,
  bar: (
    hour: Hour | undefined,
    when: { since: string; until: string },
    label: string,
  ) => Pick<Bar, "values" | "links">,
): Bar[] {
  const known = new Map(hours.map((hour) => [Math.floor(Date.parse(hour.hour) / HOUR_MS), hour]));
  return Array.from({ length: 24 }, (_, n) => {
    const at = thisHour - 23 + n;
    const label = clock((at * HOUR_MS) / 1000, at * HOUR_MS);
    const begin = (hour: number) => new Date(hour * HOUR_MS).toISOString();
    const when = { since: begin(at), until: begin(at + 1) };
    const link = { href: to.events(when), name: words.overview.eventsFrom(label) };
    return { label, link, ...bar(known.get(at), when, label) };
  });
}
