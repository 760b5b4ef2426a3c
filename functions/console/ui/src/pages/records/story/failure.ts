// Why the last try to take money failed, in the bank's or Stripe's words.
import { words } from "../../../words/words.ts";
import { type AnyRecord, createdOf, textIn } from "../record.ts";
import { type Fact, facts, foreign } from "./story.ts";

/** A failure: the sentence for people, and the code by which Stripe's documents explain it. */
export interface Failure {
  message: string | null;
  code: string | null;
}

/** Why a payment or charge failed; null where nothing says that it did. */
export function failureOf(record: AnyRecord): Failure | null {
  const of = (message: string, codes: string[]): Failure => ({
    message: textIn(record.object, message),
    code: codes.map((code) => textIn(record.object, code)).find((code) => code !== null) ?? null,
  });
  const own = of("last_payment_error.message", [
    "last_payment_error.decline_code",
    "last_payment_error.code",
  ]);
  if (own.message || own.code) return own;
  const charge = of("failure_message", ["outcome.reason", "failure_code"]);
  if (textIn(record.object, "failure_code") || charge.message) return charge;
  const failed = newestFirst(record.charges ?? []).find((part) => part.status === "failed");
  return failed ? failureOf(failed) : null;
}

/** A failure as facts. */
export function failureFacts(failure: Failure | null): Fact[] {
  const said = words.records.story;
  return facts(foreign(said.error, failure?.message ?? null), foreign(said.errorCode, failure?.code ?? null));
}

/** Records by when Stripe made them, the newest first. */
export function newestFirst(records: readonly AnyRecord[]): AnyRecord[] {
  return [...records].sort((a, b) => (createdOf(b) ?? 0) - (createdOf(a) ?? 0));
}
