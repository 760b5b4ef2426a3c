// The lists of records that a section is made of, read one after the other as if they were one.
import { infiniteQueryOptions } from "@tanstack/svelte-query";
import { recordPage } from "../../api/queries/records.ts";
import type { ListedRecord } from "../../api/types.ts";

/** A kind, and the statuses of it that need attention; without one, all of the kind are looked through. */
export interface Wanted<T extends ListedRecord = ListedRecord> {
  kind: string;
  statuses?: readonly string[];
  /** Finds out of the records of a page those that count, where that takes further requests. */
  find?: (records: readonly ListedRecord[], signal: AbortSignal) => Promise<T[]>;
}

interface At {
  list: number;
  cursor?: string;
}

/** Page by page through the list of each status. */
export const wantedQuery = <T extends ListedRecord>({ kind, statuses = [""], find }: Wanted<T>) =>
  infiniteQueryOptions({
    queryKey: ["records", "attention", kind, statuses],
    queryFn: async ({ pageParam, signal }) => {
      const status = statuses[pageParam.list] ?? "";
      const page = await recordPage(kind, { status }, pageParam.cursor, signal);
      // Without `find` the section is of records as they are listed.
      return { ...page, found: find ? await find(page.data, signal) : (page.data as T[]) };
    },
    initialPageParam: { list: 0 } as At,
    getNextPageParam: (page, _pages, { list }): At | undefined => {
      if (page.next_cursor !== null) return { list, cursor: page.next_cursor };
      return list + 1 < statuses.length ? { list: list + 1 } : undefined;
    },
    staleTime: 30_000,
  });
