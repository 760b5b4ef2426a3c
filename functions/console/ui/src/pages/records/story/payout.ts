// A payout: whether the money is at the bank, and what to do where it is not.
import { weekday } from "../../../format/time.ts";
import { arrivalOf, isLate } from "../../../parts/arrival.ts";
import { words } from "../../../words/words.ts";
import { type AnyRecord, integerIn, textIn } from "../record.ts";
import { failureFacts } from "./failure.ts";
import { type Fact, facts, foreign, type Story, sum, type Told } from "./story.ts";

/** The number by which the bank finds it. */
function trace(object: AnyRecord["object"]): Fact | null {
  const said = words.payouts.story;
  const value = textIn(object, "trace_id.value");
  if (value) return { name: said.trace, foreign: value };
  const status = textIn(object, "trace_id.status");
  if (status === "pending") return { name: said.trace, text: said.traceWaits };
  return status === "unsupported" ? { name: said.trace, text: said.traceNone } : null;
}

function about(record: AnyRecord): Fact[] {
  const said = words.payouts.story;
  const { object } = record;
  const at = arrivalOf(record);
  const method = textIn(object, "method");
  const manual = object.automatic === false;
  return facts(
    sum(words.payouts.list.amount, integerIn(object, "amount"), record.currency),
    at !== null && { name: record.status === "paid" ? said.arrived : said.arrives, text: weekday(at) },
    trace(object),
    typeof object.automatic === "boolean" && { name: said.made, text: manual ? said.manual : said.automatic },
    method !== null && { name: said.method, text: said.methods[method] ?? method },
    foreign(said.destination, textIn(object, "destination") ?? textIn(object, "destination.id")),
    foreign(said.onStatement, textIn(object, "statement_descriptor")),
    foreign(said.description, textIn(object, "description")),
  );
}

export function payoutStory({ record, now }: Told): Story | null {
  const said = words.payouts.story;
  const rest = about(record);
  const at = arrivalOf(record);
  const { object } = record;
  switch (record.status) {
    case "failed": {
      const failure = { message: textIn(object, "failure_message"), code: textIn(object, "failure_code") };
      const todo = { name: said.todo, text: said.failedTodo };
      return { tone: "bad", says: said.failed, facts: facts(...failureFacts(failure), todo, ...rest) };
    }
    case "canceled":
      return { tone: "calm", says: said.canceled, facts: rest };
    case "pending":
    case "in_transit": {
      if (isLate(record, now) && at !== null) {
        const todo = { name: said.todo, text: said.lateTodo };
        return { tone: "warn", says: said.late(weekday(at)), facts: [todo, ...rest] };
      }
      return {
        tone: "waiting",
        says: record.status === "pending" ? said.pending : said.inTransit,
        facts: rest,
      };
    }
    case "paid": {
      const amount = integerIn(object, "amount");
      if (record.transactions?.adds_up === false) return { tone: "warn", says: said.paidOff, facts: rest };
      const taken = amount !== null && BigInt(amount) < 0n;
      return { tone: "good", says: taken ? said.taken : said.paid, facts: rest };
    }
    default:
      return null;
  }
}
