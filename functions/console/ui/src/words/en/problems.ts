// Each kind of problem: what it is, and what to do.
import type { ProblemKind } from "../../api/problem.ts";

export const problems = {
  kinds: {
    network: {
      title: "No connection",
      text: "Billhook could not be reached. Check your connection.",
    },
    slow: {
      title: "No answer in time",
      text: "Billhook did not answer. It may still have done it: look before you try again.",
    },
    unauthenticated: {
      title: "You are signed out",
      text: "Sign in again to go on. Nothing on this page is lost.",
    },
    forbidden: {
      title: "You may not do this",
      text: "It takes an admin.",
    },
    not_found: {
      title: "There is no such thing here",
      text: "It may have been removed, or the address is wrong.",
    },
    invalid: {
      title: "Something in it is wrong",
      text: "Correct it and try again.",
    },
    conflict: {
      title: "That does not go now",
      text: "Something else is under way, or somebody was quicker. Look again in a minute.",
    },
    too_large: {
      title: "That is too large",
      text: "Send less at once.",
    },
    throttled: {
      title: "Too many requests",
      text: "Billhook asks for a pause. Wait a few seconds.",
    },
    stripe: {
      title: "Stripe refused",
      text: "What Stripe said is below.",
    },
    failed: {
      title: "Billhook failed",
      text: "It ended without an answer. Try again; if it stays, give the request id to whoever runs Billhook.",
    },
    unavailable: {
      title: "Not available right now",
      text: "Something that Billhook needs does not answer. It is usually over in a minute.",
    },
    not_understood: {
      title: "An answer that makes no sense",
      text: "Something between you and Billhook answered in its place. Reload the page, or try another network.",
    },
  } satisfies Record<ProblemKind, { title: string; text: string }>,
  whatToDo: "What to do",
  requestId: "Request id",
  again: "Try again",
  trying: (attempt: number) => `Trying again (${attempt})…`,
  stale: (age: string) => `Could not be refreshed. What you see is from ${age}.`,
} as const;
