// A refund: whether the money went back, and if not, why.
import { member, plain } from "../../../format/text.ts";
import { words } from "../../../words/words.ts";
import { referenceIn, textIn } from "../record.ts";
import { facts, foreign, named, type Story, type Told } from "./story.ts";

/** The reference by which the customer's bank finds it; it lies below the way that the money took. */
function bankReference(object: Record<string, unknown>): string | null {
  const way = textIn(object, "destination_details.type");
  const reference = way ? member(object, `destination_details.${way}.reference`) : null;
  return typeof reference === "string" ? reference : null;
}

export function refundStory({ record }: Told): Story | null {
  const said = words.records.story.refund;
  const { object } = record;
  const reason = textIn(object, "reason");
  const rest = facts(
    named(said.payment, referenceIn(object, "payment_intent") ?? referenceIn(object, "charge")),
    reason !== null && { name: said.reason, text: plain(reason) },
    foreign(said.bankReference, bankReference(object)),
  );
  switch (record.status) {
    case "succeeded":
      return { tone: "good", says: said.succeeded, facts: rest };
    case "pending":
      return { tone: "waiting", says: said.pending, facts: rest };
    case "requires_action":
      return { tone: "warn", says: said.requiresAction, facts: rest };
    case "failed": {
      const why = textIn(object, "failure_reason");
      return {
        tone: "bad",
        says: said.failed,
        facts: facts(why !== null && { name: said.failure, text: plain(why) }, ...rest),
      };
    }
    case "canceled":
      return { tone: "calm", says: said.canceled, facts: rest };
    default:
      return null;
  }
}
