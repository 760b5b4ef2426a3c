// The Stripe key and the rules of the stack.
import { queryOptions } from "@tanstack/svelte-query";
import { call } from "../call.ts";
import type { RulesChange } from "../types.ts";

export const settingsQuery = () =>
  queryOptions({
    queryKey: ["settings"],
    queryFn: ({ signal }) => call("get", "/settings", { signal }),
  });

/** Sets the Stripe key; it can be written and never read. */
export const setStripeKey = (key: string) => call("put", "/settings/stripe-key", { body: { key } });

/** Changes what is ignored, and how failures are tried again. */
export const changeRules = (change: RulesChange) => call("patch", "/settings", { body: change });
