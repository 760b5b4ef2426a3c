// A charge: one try to take money.
import { words } from "../../../words/words.ts";
import { integerIn } from "../record.ts";
import { failureFacts, failureOf } from "./failure.ts";
import { facts, type Story, sum, type Told } from "./story.ts";

export function chargeStory({ record }: Told): Story | null {
  const said = words.records.story.charge;
  const { object, currency } = record;
  switch (record.status) {
    case "failed":
      return { tone: "bad", says: said.failed, facts: failureFacts(failureOf(record)) };
    case "pending":
      return { tone: "waiting", says: said.pending, facts: [] };
    case "succeeded":
      if (object.captured === false) return { tone: "waiting", says: said.authorized, facts: [] };
      return {
        tone: "good",
        says: said.succeeded,
        facts: facts(
          sum(said.captured, integerIn(object, "amount_captured"), currency),
          sum(said.refunded, integerIn(object, "amount_refunded"), currency),
        ),
      };
    default:
      return null;
  }
}
