// What is special about a record, each in a sentence: deleted, erased, gone at Stripe, of an uncertain order, not
// whole.
import type { Tone } from "../../parts/tone.ts";
import { words } from "../../words/words.ts";
import type { AnyRecord } from "./record.ts";

export interface Flag {
  word: string;
  says: string;
  tone: Tone;
}

export function flagsOf(record: AnyRecord): Flag[] {
  const said = words.records.flags;
  const of = (flag: keyof typeof said, tone: Tone): Flag => ({ ...said[flag], tone });
  const flags: Flag[] = [];
  if (record.deleted) flags.push(of("deleted", "calm"));
  if (record.erased) flags.push(of("erased", "calm"));
  if (record.gone_at_stripe) flags.push(of("gone", "calm"));
  else if (record.order_uncertain) flags.push(of("uncertain", "warn"));
  // Why a list is cut that is not being fetched; what is gone or uncertain has been said.
  if (record.complete === false) {
    const reason = record.incomplete_reason;
    if (reason === "fetching") flags.push(of("fetching", "calm"));
    else if (reason === "too_large") flags.push(of("too_large", "warn"));
    else if (reason === "refused" || reason === "unanswered") flags.push(of("incomplete", "warn"));
  }
  return flags;
}
