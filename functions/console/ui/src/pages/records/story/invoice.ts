// An invoice: whether it is paid, and if not, why, and when it is tried again.
import { counted } from "../../../format/number.ts";
import { words } from "../../../words/words.ts";
import { type AnyRecord, integerIn, secondsIn, textIn } from "../record.ts";
import { failureFacts, failureOf, newestFirst } from "./failure.ts";
import { type Fact, facts, named, type Story, sum, type Told, time } from "./story.ts";

export function invoiceStory({ record, payments, likely = null, now }: Told): Story | null {
  const said = words.records.story.invoice;
  const { object, currency } = record;
  const lasting = sum(said.due, integerIn(object, "amount_remaining"), currency);
  switch (record.status) {
    case "paid": {
      const outside = object.paid_out_of_band === true;
      return {
        tone: "good",
        says: outside ? said.paidOutside : said.paid,
        facts: facts(
          time(said.paidAt, secondsIn(object, "status_transitions.paid_at")),
          sum(said.paidSum, integerIn(object, "amount_paid"), currency),
        ),
      };
    }
    case "draft": {
      const at = secondsIn(object, "automatically_finalizes_at") ?? secondsIn(object, "next_payment_attempt");
      return { tone: "waiting", says: said.draft, facts: facts(time(said.finalizes, at)) };
    }
    case "void":
      return {
        tone: "calm",
        says: said.void,
        facts: facts(time(said.voidedAt, secondsIn(object, "status_transitions.voided_at"))),
      };
    case "uncollectible":
      return { tone: "bad", says: said.uncollectible, facts: facts(lasting) };
    case "open":
      return unpaid(
        record,
        newestFirst(payments)[0] ?? likely,
        likely !== null && payments.length === 0,
        lasting,
        now,
      );
    default:
      return null;
  }
}

/** Why an open invoice is not paid. `guessed` says that the last payment is probably its, not surely. */
function unpaid(
  record: AnyRecord,
  last: AnyRecord | null,
  guessed: boolean,
  lasting: Fact | null,
  now: number,
): Story {
  const said = words.records.story.invoice;
  const { object } = record;
  const attempts = Number(integerIn(object, "attempt_count") ?? 0);
  const dueBy = secondsIn(object, "due_date");
  const sent = textIn(object, "collection_method") === "send_invoice";
  const again = secondsIn(object, "next_payment_attempt");
  const failure = last ? failureOf(last) : null;
  const rest = facts(
    lasting,
    time(said.dueBy, dueBy),
    attempts > 0 && { name: said.attempts, text: counted(attempts, said.attempt) },
    named(guessed ? said.likelyPayment : said.lastPayment, last?.id ?? null),
  );
  if (last?.status === "processing") return { tone: "waiting", says: said.processing, facts: rest };
  const next =
    time(said.nextTry, again) ??
    (attempts > 0 && !sent ? { name: said.nextTry, text: said.noNextTry } : null);
  const all = [...failureFacts(failure), ...facts(next), ...rest];
  if (last?.status === "requires_action") return { tone: "warn", says: said.action, facts: all };
  if (failure || (attempts > 0 && !sent)) {
    return {
      tone: "bad",
      says: attempts > 0 ? said.failed(counted(attempts, said.attempt)) : said.failedOnce,
      facts: all,
    };
  }
  if (dueBy !== null && dueBy * 1000 < now) return { tone: "bad", says: said.overdue, facts: all };
  return { tone: "waiting", says: sent ? said.sent : said.notTried, facts: all };
}
