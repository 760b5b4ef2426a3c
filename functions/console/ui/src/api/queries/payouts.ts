// The transactions of a payout, as a list and as CSV.
import { infiniteQueryOptions } from "@tanstack/svelte-query";
import { type CsvPage, send, sendForCsv } from "../call.ts";
import type { TransactionPage } from "../payouts.ts";

const path = (payout: string) => `/records/payouts/${encodeURIComponent(payout)}/transactions`;

/** The transactions, newest first. */
export const transactionsQuery = (payout: string, account?: string) =>
  infiniteQueryOptions({
    queryKey: ["records", "transactions", payout, account ?? null],
    queryFn: async ({ pageParam, signal }) =>
      (await send("get", path(payout), {
        query: { account, limit: 100, cursor: pageParam },
        signal,
      })) as TransactionPage,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

/** So many rows an answer in CSV has at most. */
const ROWS = 2_000;

/** A page of them as the API writes it for spreadsheets. */
export const transactionsCsv = (
  payout: string,
  account: string | undefined,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<CsvPage> => sendForCsv(path(payout), { query: { account, limit: ROWS, cursor }, signal });
