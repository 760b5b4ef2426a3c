// Objects that Stripe had before the first event.
import { queryOptions } from "@tanstack/svelte-query";
import { call } from "../call.ts";

export const importQuery = () =>
  queryOptions({
    queryKey: ["import"],
    queryFn: ({ signal }) => call("get", "/import", { signal }),
  });

/** Starts an import of all, or of what was made since a time. */
export const startImport = (since?: string) => call("post", "/import", { body: since ? { since } : {} });

export const stopImport = () => call("delete", "/import");
