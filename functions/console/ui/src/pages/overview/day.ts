// The last day as bars: an hour each, also those in which nothing came.
import type { Status } from "../../api/types.ts";
import { clock } from "../../format/time.ts";
import { to } from "../../links.ts";
import type { Bar } from "../../parts/bars.ts";
import { words } from "../../words/words.ts";

const HOUR_MS = 3_600_000;

/**
 * 24 bars, the last of which is the present hour (counted since 1970). Each leads to the events since its hour: the
 * list of events has a beginning and no end.
 */
export function barsOf(hours: Status["last_day"], thisHour: number): Bar[] {
  const known = new Map(hours.map((hour) => [Math.floor(Date.parse(hour.hour) / HOUR_MS), hour]));
  return Array.from({ length: 24 }, (_, n) => {
    const at = thisHour - 23 + n;
    const hour = known.get(at);
    const label = clock((at * HOUR_MS) / 1000, at * HOUR_MS);
    const since = new Date(at * HOUR_MS).toISOString();
    return {
      label,
      link: { href: to.events({ since }), name: words.overview.eventsSince(label) },
      values: {
        applied: hour?.processed ?? 0,
        other: (hour?.superseded ?? 0) + (hour?.ignored ?? 0),
        failed: hour?.failed ?? 0,
        stuck: (hour?.dead ?? 0) + (hour?.quarantined ?? 0),
      },
    };
  });
}
