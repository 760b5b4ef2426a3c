// The lists of records that a section is made of, read one after the other as if they were one.
import { infiniteQueryOptions } from "@tanstack/svelte-query";
import { recordPage } from "../../api/queries/records.ts";

/** A kind, and the statuses of it that need attention. */
export interface Wanted {
  kind: string;
  statuses: readonly string[];
}

interface At {
  list: number;
  cursor?: string;
}

/** Page by page through the list of each status. */
export const wantedQuery = ({ kind, statuses }: Wanted) =>
  infiniteQueryOptions({
    queryKey: ["records", "attention", kind, statuses],
    queryFn: ({ pageParam, signal }) =>
      recordPage(kind, { status: statuses[pageParam.list] ?? "" }, pageParam.cursor, signal),
    initialPageParam: { list: 0 } as At,
    getNextPageParam: (page, _pages, { list }): At | undefined => {
      if (page.next_cursor !== null) return { list, cursor: page.next_cursor };
      return list + 1 < statuses.length ? { list: list + 1 } : undefined;
    },
    staleTime: 30_000,
  });
