// The erasing of customers' personal data.
import { queryOptions } from "@tanstack/svelte-query";
import { call } from "../call.ts";
import { Problem } from "../problem.ts";
import type { Erasure } from "../types.ts";

/** How far the erasing of a customer's data is; null where nobody has asked for it. */
export const erasureQuery = (customer: string, account: string | null) =>
  queryOptions({
    queryKey: ["erasures", customer, account],
    queryFn: async ({ signal }): Promise<Erasure | null> => {
      const query = account ? { account } : {};
      try {
        return await call("get", "/erasures/{customer}", { path: { customer }, query, signal });
      } catch (problem) {
        if (problem instanceof Problem && problem.kind === "not_found") return null;
        throw problem;
      }
    },
  });

/** What an erasure is asked for with. `confirm` is the id as the person typed it. */
export interface AskedErasure {
  customer: string;
  account: string | null;
  confirm: string;
  why: string;
  /** Somebody has looked: they are deleted at Stripe. It counts where Stripe cannot be asked. */
  deleted_at_stripe: boolean;
}

/** Erases a deleted customer's personal data. */
export const startErasure = ({ why, deleted_at_stripe, ...asked }: AskedErasure) =>
  call("post", "/erasures", {
    body: { ...asked, ...(why ? { why } : {}), ...(deleted_at_stripe ? { deleted_at_stripe } : {}) },
  });
