// Each kind of problem: what it is, and what to do.
import type { ErrorCode, ProblemKind } from "../../api/problem.ts";

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
  /** What to do about refusals whose own remedy speaks of calls of the API, in words of this page. */
  codes: {
    change_in_progress: "Another change of this endpoint is under way. Look again in a minute.",
    confirmation_required: "Type the name as it stands there.",
    endpoint_exists: "Look at the endpoint as it is now, then decide again. For a new one take another name.",
    endpoint_not_active:
      "Wait until it is registered or removed to the end. If it is disabled, enable it first.",
    endpoint_not_at_stripe: "Repair it: Stripe then makes another in its place.",
    endpoint_removed: "Somebody has deregistered it meanwhile. Register it anew if it is wanted.",
    endpoint_unknown: "Look at the list of endpoints: it may be gone, or not be ready yet.",
    import_not_running: "There is none to be stopped. Look again: it may have ended by itself.",
    import_running: "Wait until it ends, or stop it first.",
    key_of_other_mode: "Make a key in the mode that stands at the top of this page.",
    no_rotation: "Its secret is not being changed any more. Look again.",
    reconcile_running: "One is at work already. Look again in a minute.",
    rotation_given_up: "The secret of before stays. Rotate again if it is still wanted.",
    rotation_in_progress: "Wait until the rotation is over, some ten minutes, or give it up.",
    secret_missing: "Repair it: Stripe then makes another endpoint, with another secret.",
    settings_changed: "Another admin was quicker. Look at what is there now, then decide again.",
    stripe_account_differs: "Take a key of the account whose records are here, or ask whoever runs Billhook.",
    stripe_account_unknown:
      "Take a secret key or a key with more rights once, so that Stripe says of which account it is.",
    stripe_no_answer: "Try again in a minute. What was done already stays done.",
    temporarily_unavailable: "Try again in a minute. What was done already stays done.",
    stripe_key_lacks_right: "Give the key “Webhook Endpoints: Write” in Stripe’s dashboard, or make another.",
    stripe_key_missing: "Set a Stripe key first: Settings, Stripe.",
    stripe_key_refused: "Copy the key once more from Stripe’s dashboard; it may have been cut, or revoked.",
    url_not_reached: "See that the address is public and leads here, then try again. Nothing was changed.",
  } satisfies Partial<Record<ErrorCode, string>> as Partial<Record<string, string>>,
  whatToDo: "What to do",
  requestId: "Request id",
  again: "Try again",
  trying: (attempt: number) => `Trying again (${attempt})…`,
  stale: (age: string) => `Could not be refreshed. What you see is from ${age}.`,
} as const;
