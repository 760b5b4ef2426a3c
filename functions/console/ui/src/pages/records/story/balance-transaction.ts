// A balance transaction: a move of the Stripe balance, with what Stripe kept of it.
import { takenAway } from "../../../format/money.ts";
import { plain } from "../../../format/text.ts";
import { weekday } from "../../../format/time.ts";
import { words } from "../../../words/words.ts";
import { integerIn, secondsIn, textIn } from "../record.ts";
import { facts, named, type Story, sum, type Told } from "./story.ts";

export function balanceTransactionStory({ record }: Told): Story | null {
  const said = words.payouts.balance;
  const { object, currency } = record;
  const type = textIn(object, "type");
  const availableOn = secondsIn(object, "available_on");
  const payout = record.links?.payout ?? null;
  const rest = facts(
    sum(said.gross, integerIn(object, "amount"), currency),
    sum(said.fee, takenAway(integerIn(object, "fee")), currency),
    sum(said.net, integerIn(object, "net"), currency),
    type !== null && { name: said.type, text: plain(type) },
    availableOn !== null && { name: said.availableOn, text: weekday(availableOn) },
    named(said.payout, payout),
  );
  if (record.status === "pending") return { tone: "waiting", says: said.pending, facts: rest };
  if (record.status !== "available") return null;
  return { tone: "good", says: payout ? said.paidOut : said.available, facts: rest };
}
