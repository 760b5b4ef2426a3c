// Reads a list to its end, page by page; what passes by itself is tried again.
import { askAgain, waitFor } from "../../api/query-client.ts";
import type { Page } from "../../api/types.ts";

/** How the reading ended. What was read until then is kept. */
export type End = "end" | "stopped" | "capped" | "failed";

export interface Reading<T> {
  page: (cursor: string | undefined) => Promise<Page<T>>;
  /** So many rows at most. */
  most: number;
  /** Told all rows so far after each page. */
  progress: (rows: T[]) => void;
  /** Told why it failed. */
  failed: (cause: unknown) => void;
  signal: AbortSignal;
  /** Waits; given by tests. */
  wait?: (ms: number) => Promise<void>;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export async function readAll<T>({
  page,
  most,
  progress,
  failed,
  signal,
  wait = pause,
}: Reading<T>): Promise<End> {
  let rows: T[] = [];
  let cursor: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const next = await page(cursor);
      failures = 0;
      const full =
        rows.length + next.data.length > most ||
        (rows.length + next.data.length === most && next.next_cursor);
      rows = [...rows, ...next.data].slice(0, most);
      progress(rows);
      if (full) return "capped";
      if (!next.next_cursor) return "end";
      cursor = next.next_cursor;
    } catch (cause) {
      if (signal.aborted) break;
      if (!askAgain(failures, cause)) {
        failed(cause);
        return "failed";
      }
      await wait(waitFor(failures, cause));
      failures += 1;
    }
  }
  return "stopped";
}
