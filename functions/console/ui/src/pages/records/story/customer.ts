// A customer: whether they owe something.
import { isInteger } from "../../../format/money.ts";
import { words } from "../../../words/words.ts";
import { facts, type Story, sum, type Told } from "./story.ts";

export function customerStory({ record }: Told): Story | null {
  const said = words.records.story.customer;
  const { object, currency } = record;
  const balance = isInteger(object.balance) ? BigInt(object.balance) : 0n;
  const credit = balance < 0n ? sum(said.credit, -balance, currency) : null;
  const owed = balance > 0n ? sum(said.owed, balance, currency) : null;
  if (record.deleted) return null;
  if (object.delinquent === true) return { tone: "warn", says: said.delinquent, facts: facts(credit, owed) };
  return credit || owed ? { tone: "calm", says: said.balance, facts: facts(credit, owed) } : null;
}
