// How answers are kept and asked for again. What a person reads is not changed behind their back: pages say by
// themselves what they poll. Only questions are asked again by themselves; what changes something never is.
import { QueryClient } from "@tanstack/svelte-query";
import { Problem } from "./problem.ts";

const ATTEMPTS = 4;

declare module "@tanstack/svelte-query" {
  interface Register {
    defaultError: Problem;
  }
}

/** Whether to ask again after so many failures. */
export function askAgain(failures: number, problem: unknown): boolean {
  return problem instanceof Problem && problem.passing && failures < ATTEMPTS;
}

/** How long to wait: as the answer says, else 1, 2, 4, 8 s, with some chance so that tabs do not march in step. */
export function waitFor(failures: number, problem: unknown): number {
  if (problem instanceof Problem && problem.retryAfter) return Math.min(problem.retryAfter, 60) * 1000;
  return Math.min(1000 * 2 ** failures, 30_000) * (0.75 + Math.random() / 2);
}

/** Makes the page's client. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: "always",
        staleTime: 5_000,
        gcTime: 10 * 60_000,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        retry: askAgain,
        retryDelay: waitFor,
        throwOnError: false,
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}
