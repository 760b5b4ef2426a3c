// The rule by which failures are tried again: its bounds, and what is wrong with what is typed.
import type { Settings } from "../../api/types.ts";
import { integer } from "../../format/number.ts";
import { words } from "../../words/words.ts";

type Retry = Settings["retry"];
export type RetryField = keyof Retry;
export type TypedRetry = Record<RetryField, string>;

/** The API's own bounds. */
export const BOUNDS: Record<RetryField, number> = {
  attempts: 100,
  first_delay_s: 3600,
  longest_delay_s: 86_400,
};

export function typedRetry(retry: Retry): TypedRetry {
  return {
    attempts: String(retry.attempts),
    first_delay_s: String(retry.first_delay_s),
    longest_delay_s: String(retry.longest_delay_s),
  };
}

/** What is wrong, by field; nothing where it can be sent. */
export function wrongRetry(typed: TypedRetry): Partial<TypedRetry> {
  const said = words.stripe.rules.retry;
  const wrong: Partial<TypedRetry> = {};
  for (const [field, most] of Object.entries(BOUNDS) as [RetryField, number][]) {
    const text = typed[field].trim();
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || value > most) wrong[field] = said.number("1", integer(most));
  }
  if (Object.keys(wrong).length === 0 && Number(typed.longest_delay_s) < Number(typed.first_delay_s)) {
    wrong.longest_delay_s = said.order;
  }
  return wrong;
}

/** The rule as the API takes it. */
export function retryOf(typed: TypedRetry): Retry {
  return {
    attempts: Number(typed.attempts),
    first_delay_s: Number(typed.first_delay_s),
    longest_delay_s: Number(typed.longest_delay_s),
  };
}
