// Billing records: the present state of Stripe's objects.
import { infiniteQueryOptions, queryOptions } from "@tanstack/svelte-query";
import { call, send } from "../call.ts";
import type { Kind, RecordFilter, RecordPage } from "../kinds.ts";
import type { WholeRecord } from "../types.ts";

/** Which kinds there are, and how each is shown; as constant as the release. */
export const kindsQuery = () =>
  queryOptions({
    queryKey: ["kinds"],
    queryFn: async ({ signal }): Promise<Kind[]> => (await call("get", "/records", { signal })).data,
    staleTime: Number.POSITIVE_INFINITY,
  });

/** A list of records, newest first. */
export const recordsQuery = (kind: string, filter: RecordFilter = {}) =>
  infiniteQueryOptions({
    queryKey: ["records", "list", kind, filter],
    queryFn: ({ pageParam, signal }) => recordPage(kind, filter, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

/** One page of a list, for what reads lists to their end, such as an export. */
export const recordPage = async (kind: string, filter: RecordFilter, cursor?: string, signal?: AbortSignal) =>
  (await send("get", `/records/${encodeURIComponent(kind)}`, {
    query: { limit: 100, ...filter, cursor },
    signal,
  })) as RecordPage;

/** A customer alone, without all that is theirs; null where there is no record of them. */
export const customerQuery = (id: string, account?: string) =>
  queryOptions({
    queryKey: ["records", "customer", id, account ?? null],
    queryFn: async ({ signal }) =>
      (await recordPage("customers", { customer: id, account, limit: 1 }, undefined, signal)).data[0] ?? null,
    staleTime: 60_000,
  });

/** A record with its events. */
export const recordQuery = (kind: string, id: string, account?: string) =>
  queryOptions({
    queryKey: ["records", "one", kind, id, account ?? null],
    queryFn: async ({ signal }) =>
      (await send("get", `/records/${encodeURIComponent(kind)}/${encodeURIComponent(id)}`, {
        query: { account },
        signal,
      })) as WholeRecord,
  });
