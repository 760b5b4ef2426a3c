// A dispute: whether it wants an answer, by when, and how it ended.
import { integer } from "../../../format/number.ts";
import { plain } from "../../../format/text.ts";
import { duration } from "../../../format/time.ts";
import { words } from "../../../words/words.ts";
import { integerIn, secondsIn, textIn } from "../record.ts";
import { facts, type Story, sum, type Told, time } from "./story.ts";

export function disputeStory({ record, now }: Told): Story | null {
  const said = words.records.story.dispute;
  const { object } = record;
  const dueBy = secondsIn(object, "evidence_details.due_by");
  const reason = textIn(object, "reason");
  const sent = integerIn(object, "evidence_details.submission_count");
  const rest = facts(
    sum(said.about, integerIn(object, "amount"), record.currency),
    reason !== null && { name: said.reason, text: plain(reason) },
    sent !== null && { name: said.sent, text: integer(sent) },
  );
  const inquiry = record.status?.startsWith("warning_") ?? false;
  switch (record.status) {
    case "needs_response":
    case "warning_needs_response":
    case "appeal_needs_response": {
      const late = object.evidence_details && dueBy !== null && dueBy * 1000 <= now;
      const left = dueBy === null ? null : duration(Math.max(0, dueBy * 1000 - now));
      return {
        tone: "bad",
        says: late ? said.late : inquiry ? said.inquiry(left) : said.needsAnswer(left),
        facts: facts(time(said.answerBy, dueBy), ...rest),
      };
    }
    case "under_review":
    case "warning_under_review":
    case "appeal_under_review":
      return { tone: "waiting", says: said.underReview, facts: rest };
    case "won":
      return { tone: "good", says: said.won, facts: rest };
    case "lost":
      return { tone: "bad", says: said.lost, facts: rest };
    case "prevented":
      return { tone: "good", says: said.prevented, facts: rest };
    case "warning_closed":
      return { tone: "good", says: said.inquiryClosed, facts: rest };
    default:
      return null;
  }
}
