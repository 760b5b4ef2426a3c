// The ledger: every event that came in, and what became of it.
import {
  type InfiniteData,
  infiniteQueryOptions,
  type QueryClient,
  queryOptions,
} from "@tanstack/svelte-query";
import { call } from "../call.ts";
import type { BulkOutcome, DiscardFilter, EventFilter, LedgerEvent, Page, ReplayFilter } from "../types.ts";

/** The type of a request of ours that tests an endpoint; it is in no list. */
export const PROBE = "billhook.probe";

/** The list of events, newest first. */
export const eventsQuery = (filter: EventFilter = {}) =>
  infiniteQueryOptions({
    queryKey: ["events", "list", filter],
    queryFn: ({ pageParam, signal }) =>
      call("get", "/events", { query: { limit: 100, ...filter, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

/** The first page of a list, polled to see what is new; the list itself is never read again behind a reader's back. */
export const newestEventsQuery = (filter: EventFilter = {}) =>
  queryOptions({
    queryKey: ["events", "newest", filter],
    queryFn: ({ signal }) => call("get", "/events", { query: { limit: 100, ...filter }, signal }),
    gcTime: 0,
  });

/** The newest events, to say when one last came and how long they take. */
export const latestEventsQuery = () =>
  queryOptions({
    queryKey: ["events", "latest"],
    queryFn: async ({ signal }) => (await call("get", "/events", { query: { limit: 25 }, signal })).data,
  });

export const eventQuery = (id: string) =>
  queryOptions({
    queryKey: ["events", "one", id],
    queryFn: ({ signal }) => call("get", "/events/{id}", { path: { id }, signal }),
  });

export const replayEvent = (id: string, why?: string) =>
  call("post", "/events/{id}/replay", { path: { id }, body: why ? { why } : {} });

export const discardEvent = (id: string, why: string) =>
  call("post", "/events/{id}/discard", { path: { id }, body: { why } });

/** Puts an event that was changed into all that is shown of it, and has counts asked for again. */
export function eventChanged(client: QueryClient, event: LedgerEvent): void {
  const put = (list: InfiniteData<Page<LedgerEvent>> | undefined) =>
    list && {
      ...list,
      pages: list.pages.map((page) => ({
        ...page,
        data: page.data.map((one) => (one.id === event.id ? event : one)),
      })),
    };
  client.setQueriesData<InfiniteData<Page<LedgerEvent>>>({ queryKey: ["events", "list"] }, put);
  for (const queryKey of [
    ["events", "one", event.id],
    ["events", "newest"],
    ["events", "stuck"],
    ["status"],
  ]) {
    void client.invalidateQueries({ queryKey });
  }
}

/** Has everything about events asked for anew, after many were changed. */
export function eventsChanged(client: QueryClient): void {
  for (const queryKey of [["events", "one"], ["events", "newest"], ["events", "stuck"], ["status"]]) {
    void client.invalidateQueries({ queryKey });
  }
  client.removeQueries({ queryKey: ["events", "list"], type: "inactive" });
  void client.resetQueries({ queryKey: ["events", "list"], type: "active" });
}

/** The dead or quarantined events, by when they came into that state, the latest first. */
export const stuckEventsQuery = (state: "dead" | "quarantined") =>
  infiniteQueryOptions({
    queryKey: ["events", "stuck", state],
    queryFn: ({ pageParam, signal }) =>
      call("get", "/events", { query: { state, limit: 100, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

/** How many events a filter finds, without changing any. */
export const countEvents = (filter: ReplayFilter, signal?: AbortSignal) =>
  inSteps((step) => call("post", "/events/replay", { body: { ...filter, ...step, dry_run: true }, signal }));

/** Replays all that a filter finds, in steps; `progress` is told after each, and `signal` ends it between two. */
export const replayEvents = (
  filter: ReplayFilter,
  progress: (sum: BulkOutcome) => void,
  signal?: AbortSignal,
) => inSteps((step) => call("post", "/events/replay", { body: { ...filter, ...step } }), progress, signal);

/** Discards all that a filter finds, in the same way. */
export const discardEvents = (
  filter: DiscardFilter,
  progress: (sum: BulkOutcome) => void,
  signal?: AbortSignal,
) => inSteps((step) => call("post", "/events/discard", { body: { ...filter, ...step } }), progress, signal);

async function inSteps(
  request: (step: { cursor?: string }) => Promise<BulkOutcome>,
  progress: (sum: BulkOutcome) => void = () => {},
  signal?: AbortSignal,
): Promise<BulkOutcome> {
  let sum: BulkOutcome | undefined;
  do {
    const step = await request(sum?.next_cursor ? { cursor: sum.next_cursor } : {});
    sum = {
      ...step,
      matching: step.matching + (sum?.matching ?? 0),
      changed: step.changed + (sum?.changed ?? 0),
      overtaken: step.overtaken + (sum?.overtaken ?? 0),
      failed: step.failed + (sum?.failed ?? 0),
    };
    progress(sum);
  } while (sum.next_cursor && !signal?.aborted);
  return sum;
}
