// Whether it works.
import { queryOptions } from "@tanstack/svelte-query";
import { call } from "../call.ts";

/**
 * The status from what is known here; cheap, so pages may poll it. Nothing is polled while a tab is hidden, so it is
 * asked for at once when somebody comes back.
 */
export const statusQuery = () =>
  queryOptions({
    queryKey: ["status"],
    queryFn: ({ signal }) => call("get", "/status", { signal }),
    refetchOnWindowFocus: true,
  });

/** The status with Stripe asked now; takes seconds, so only when somebody wants it. */
export const liveStatusQuery = () =>
  queryOptions({
    queryKey: ["status", "live"],
    queryFn: ({ signal }) => call("get", "/status", { query: { live: true }, signal }),
    staleTime: 60_000,
  });

/** Looks for gaps now. */
export const reconcile = (since?: string) => call("post", "/reconcile", { body: since ? { since } : {} });
