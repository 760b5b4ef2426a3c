// Who did what, when, from where.
import { infiniteQueryOptions } from "@tanstack/svelte-query";
import { call } from "../call.ts";

/** The audit, newest first. */
export const auditQuery = () =>
  infiniteQueryOptions({
    queryKey: ["audit"],
    queryFn: ({ pageParam, signal }) =>
      call("get", "/audit", { query: { limit: 50, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
