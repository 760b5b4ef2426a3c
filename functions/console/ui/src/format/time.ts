// Times as text: in the person's zone or UTC, and "12 s ago" while they are young.
import { words } from "../words/words.ts";
import { localZone, type Zone, zone } from "./zone.svelte.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zoneOf: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zoneOf + JSON.stringify(options);
  let made = formats.get(key);
  if (!made) {
    const timeZone = zoneOf === "utc" ? "UTC" : localZone();
    made = new Intl.DateTimeFormat(words.language, { ...options, timeZone, hourCycle: "h23" });
    formats.set(key, made);
  }
  return made;
}

/** Milliseconds of a time of the API, which is RFC 3339, or of Stripe, which is unix seconds. */
export function millis(time: string | number): number {
  return typeof time === "number" ? time * 1000 : Date.parse(time);
}

/** Date and time to the second: `30 Nov 2026, 14:05:09`. */
export function dateTime(time: string | number, zoneOf: Zone = zone()): string {
  return format(zoneOf, {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).format(millis(time));
}

/** Date and time to the second, with the name of the zone, for what is looked up elsewhere. */
export function exactTime(time: string | number, zoneOf: Zone): string {
  return `${dateTime(time, zoneOf)} ${zoneOf === "utc" ? "UTC" : offset(time)}`;
}

function offset(time: string | number): string {
  const parts = format("local", { timeZoneName: "short" }).formatToParts(millis(time));
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
}

/** The day alone: `30 Nov 2026`. */
export function day(time: string | number, zoneOf: Zone = zone()): string {
  return format(zoneOf, { year: "numeric", month: "short", day: "numeric" }).format(millis(time));
}

/** A date that is one in every zone, which Stripe gives as its midnight in UTC: `Tue, Nov 3, 2026`. */
export function weekday(time: string | number): string {
  return format("utc", { weekday: "short", year: "numeric", month: "short", day: "numeric" }).format(
    millis(time),
  );
}

/** The month with its year: `November 2026`. */
export function monthName(time: string | number, zoneOf: Zone = zone()): string {
  return format(zoneOf, { year: "numeric", month: "long" }).format(millis(time));
}

/** The time of day, with the day where it is not the same day as `now`. */
export function clock(time: string | number, now: number, zoneOf: Zone = zone()): string {
  const at = format(zoneOf, { hour: "2-digit", minute: "2-digit" }).format(millis(time));
  return day(time, zoneOf) === day(now / 1000, zoneOf) ? at : `${day(time, zoneOf)}, ${at}`;
}

/** How long ago, or until when: "12 s ago", "in 3 h". */
export function relative(time: string | number, now: number): string {
  const away = millis(time) - now;
  const span = Math.abs(away);
  const said = words.time;
  if (span < 1000) return said.now;
  const amount = duration(span);
  return away < 0 ? said.ago(amount) : said.in(amount);
}

/** A length of time in its largest unit: "12 s", "5 min", "3 h", "2 d". */
export function duration(span: number): string {
  const { units } = words.time;
  if (span < MINUTE) return units.seconds(Math.floor(span / 1000));
  if (span < HOUR) return units.minutes(Math.floor(span / MINUTE));
  if (span < 2 * DAY) return units.hours(Math.floor(span / HOUR));
  return units.days(Math.floor(span / DAY));
}

/** A short length of time: under ten seconds with a decimal, since there tenths are what differs. */
export function shortly(span: number): string {
  return span < 10_000 ? words.time.units.seconds(Math.round(span / 100) / 10) : duration(span);
}

/** Whether a time is so near that how far it is says more than when it was. */
export function young(time: string | number, now: number): boolean {
  return Math.abs(millis(time) - now) < HOUR;
}
