// A subscription: whether it is active, and until when.
import { member, plain } from "../../../format/text.ts";
import { words } from "../../../words/words.ts";
import { type AnyRecord, referenceIn, secondsIn, textIn } from "../record.ts";
import { facts, foreign, named, type Story, type Told, time } from "./story.ts";

/** The end of the period that is paid for: since API 2025-03-31 each item has its own, and the first counts. */
export function periodEnd(record: AnyRecord): number | null {
  const items = member(record.object, "items.data");
  const ends = (Array.isArray(items) ? items : [])
    .map((item: unknown) => secondsIn(item, "current_period_end"))
    .filter((end) => end !== null);
  return ends.length > 0 ? Math.min(...ends) : secondsIn(record.object, "current_period_end");
}

/** When it ends for good, where that is decided. */
export function endsAt(record: AnyRecord): number | null {
  const at = secondsIn(record.object, "cancel_at");
  return at ?? (record.object.cancel_at_period_end === true ? periodEnd(record) : null);
}

export function subscriptionStory({ record }: Told): Story | null {
  const said = words.records.story.subscription;
  const { object } = record;
  const ends = endsAt(record);
  const reason =
    textIn(object, "cancellation_details.reason") ?? textIn(object, "cancellation_details.feedback");
  const why = reason ? { name: said.reason, text: plain(reason) } : null;
  const invoice = named(said.latestInvoice, referenceIn(object, "latest_invoice"));
  const until = ends === null ? time(said.renews, periodEnd(record)) : time(said.ends, ends);
  const paused = member(object, "pause_collection");
  switch (record.status) {
    case "active":
      if (paused) {
        return {
          tone: "warn",
          says: said.collectionPaused,
          facts: facts(time(said.resumes, secondsIn(object, "pause_collection.resumes_at")), until, invoice),
        };
      }
      return {
        tone: ends === null ? "good" : "warn",
        says: ends === null ? said.active : said.activeUntil,
        facts: facts(until, why, invoice),
      };
    case "trialing":
      return {
        tone: "good",
        says: ends === null ? said.trialing : said.trialingUntil,
        facts: facts(time(said.trialEnds, secondsIn(object, "trial_end")), until, invoice),
      };
    case "past_due":
      return {
        tone: "bad",
        says: said.pastDue,
        facts: facts(invoice, time(said.periodEnds, periodEnd(record))),
      };
    case "unpaid":
      return {
        tone: "bad",
        says: said.unpaid,
        facts: facts(invoice, time(said.periodEnds, periodEnd(record))),
      };
    case "incomplete":
      return { tone: "warn", says: said.incomplete, facts: facts(invoice) };
    case "incomplete_expired":
      return { tone: "calm", says: said.expired, facts: facts(invoice) };
    case "paused":
      return {
        tone: "warn",
        says: said.paused,
        facts: facts(time(said.trialEnded, secondsIn(object, "trial_end"))),
      };
    case "canceled":
      return {
        tone: "calm",
        says: said.canceled,
        facts: facts(
          time(said.ended, secondsIn(object, "ended_at") ?? secondsIn(object, "canceled_at")),
          why,
          foreign(said.comment, textIn(object, "cancellation_details.comment")),
        ),
      };
    default:
      return null;
  }
}
