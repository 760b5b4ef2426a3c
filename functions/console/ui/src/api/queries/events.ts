// The ledger: every event that came in, and what became of it.
import { infiniteQueryOptions, queryOptions } from "@tanstack/svelte-query";
import { call } from "../call.ts";
import type { BulkOutcome, DiscardFilter, EventFilter, ReplayFilter } from "../types.ts";

/** The list of events, newest first. */
export const eventsQuery = (filter: EventFilter = {}) =>
  infiniteQueryOptions({
    queryKey: ["events", "list", filter],
    queryFn: ({ pageParam, signal }) =>
      call("get", "/events", { query: { limit: 100, ...filter, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
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
