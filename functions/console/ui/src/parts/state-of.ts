// The word and the look of each kind of state, for `StatusWord`.
import type { EndpointState, EventState, HealthStatus, PaymentState } from "../api/types.ts";
import { plain } from "../format/text.ts";
import { words } from "../words/words.ts";
import type { Tone } from "./tone.ts";

export interface Shown {
  word: string;
  tone: Tone;
  hint?: string;
}

const eventTones: Record<EventState, Tone> = {
  pending: "waiting",
  processed: "good",
  superseded: "calm",
  ignored: "calm",
  quarantined: "bad",
  failed: "warn",
  dead: "bad",
};

const paymentTones: Record<PaymentState, Tone> = {
  pending: "waiting",
  completed: "good",
  failed: "bad",
  canceled: "calm",
  partially_refunded: "calm",
  refunded: "calm",
  disputed: "warn",
};

const endpointTones: Record<EndpointState, Tone> = {
  registering: "waiting",
  active: "good",
  changing: "waiting",
  rotating: "waiting",
  disabled: "calm",
  deregistering: "waiting",
};

const healthTones: Record<HealthStatus, Tone> = { active: "good", inactive: "calm", error: "bad" };

/** Of statuses of Stripe's objects; their word is Stripe's own, and one that is not here is calm. */
const recordTones: Record<string, Tone> = {
  active: "good",
  paid: "good",
  succeeded: "good",
  won: "good",
  available: "good",
  complete: "good",
  completed: "good",
  accepted: "good",
  prevented: "good",
  in_transit: "waiting",
  not_started: "waiting",
  warning_closed: "good",
  trialing: "good",
  open: "waiting",
  pending: "waiting",
  processing: "waiting",
  requires_action: "waiting",
  requires_capture: "waiting",
  requires_confirmation: "waiting",
  requires_payment_method: "warn",
  incomplete: "warn",
  past_due: "warn",
  under_review: "waiting",
  warning_needs_response: "warn",
  warning_under_review: "waiting",
  needs_response: "bad",
  failed: "bad",
  lost: "bad",
  unpaid: "bad",
  uncollectible: "bad",
};

/** What a table has under a key, if it is the table's own. */
function own<T>(table: object, key: string): T | undefined {
  return Object.hasOwn(table, key) ? (table as Record<string, T>)[key] : undefined;
}

/** A state that comes with a later release is shown by its own name. */
function known(named: object, tones: object, state: string): Shown {
  const found = own<{ word: string; hint?: string }>(named, state);
  return { ...(found ?? { word: plain(state) }), tone: own<Tone>(tones, state) ?? "calm" };
}

export const eventState = (state: EventState) => known(words.states.event, eventTones, state);
export const paymentState = (state: PaymentState) => known(words.states.payment, paymentTones, state);
export const endpointState = (state: EndpointState) => known(words.states.endpoint, endpointTones, state);
export const healthState = (state: HealthStatus) => known(words.states.health, healthTones, state);
/** A status as Stripe names it. */
export const recordStatus = (status: string) => known({}, recordTones, status);

/** What a kind is called: `one` and `other`, for one and many. */
export function kindName(kind: string): { one: string; other: string } {
  const name = plain(kind).toLowerCase();
  return own(words.states.kinds, kind) ?? { one: name, other: name };
}
