// Each check of the status: its title when it is well and when it is not, and what to do then, in words of this
// page. A code that is not here is shown with the API's own summary and remedy.
import type { CheckCode } from "../../api/types.ts";

interface CheckWords {
  fine: string;
  failed: string;
  todo: string;
}

export const checks = {
  endpoint_registered: {
    fine: "An endpoint is registered",
    failed: "No endpoint is registered",
    todo: "Register a webhook, so that Stripe knows where to send its events.",
  },
  secrets_manager_answers: {
    fine: "Secrets Manager answers",
    failed: "Secrets Manager does not answer",
    todo: "Look again in a moment. While it is silent, nobody can tell whether the key and the secrets are there.",
  },
  stripe_key_present: {
    fine: "A Stripe key is set",
    failed: "No Stripe key is set",
    todo: "Set a key: without one Billhook cannot ask Stripe anything.",
  },
  stripe_key_accepted: {
    fine: "Stripe accepts the key",
    failed: "Stripe does not accept the key",
    todo: "It was revoked or mistyped. Make a new key at Stripe and set it here.",
  },
  stripe_key_rights: {
    fine: "The key may manage webhook endpoints",
    failed: "The key may not read webhook endpoints",
    todo: "In Stripe’s dashboard give the key “Webhook Endpoints: Write”, or set another key.",
  },
  stripe_answers: {
    fine: "Stripe answers",
    failed: "Stripe does not answer",
    todo: "Look again in a few minutes. Stripe’s own status page says whether it has trouble.",
  },
  left_over_at_stripe: {
    fine: "Nothing of this stack is left over at Stripe",
    failed: "Stripe has endpoints of this stack that it no longer knows",
    todo: "Delete them in Stripe’s dashboard; nothing else uses them.",
  },
  events_failed: {
    fine: "No event is dead, and none has failed for long",
    failed: "Events could not be applied",
    todo: "Look why, put that right, then replay them. Until then their records are out of date.",
  },
  events_quarantined: {
    fine: "No event is set aside",
    failed: "Events are set aside",
    todo: "Look at them, then replay or discard them.",
  },
  backlog: {
    fine: "Events are applied in time",
    failed: "Events wait too long to be applied",
    todo: "Whoever runs Billhook should look at the log and the throttling of the function “process”.",
  },
  order_uncertain: {
    fine: "Every record’s events could be put in order",
    failed: "Some records may not show their latest state",
    todo: "Let the key read these objects, then replay one event of each.",
  },
  records_whole: {
    fine: "Long lists, such as an invoice’s lines, are here whole",
    failed: "Some records lack the rest of a long list",
    todo: "Let the key read these objects. They are tried again each night; what is too large stays as it is.",
  },
  reconciled_lately: {
    fine: "Stripe was asked lately what it has",
    failed: "Stripe was not asked lately what it has",
    todo: "Reconcile now. If this comes back, whoever runs Billhook should look at the schedule of “reconcile”.",
  },
  events_readable: {
    fine: "The key may read events",
    failed: "The key may not read events",
    todo: "In Stripe’s dashboard give the key “Events: Read”, or set another key.",
  },
  events_compared: {
    fine: "All that Stripe made has been compared",
    failed: "Not all that Stripe made has been compared yet",
    todo: "It goes on by itself. Reconcile now to see it sooner.",
  },
  accounts_readable: {
    fine: "The key may read the events of connected accounts",
    failed: "Some connected accounts cannot be read, or not be listed",
    todo: "If they have left, there is nothing to do. Else let the key act for them, and read connected accounts.",
  },
  clock: {
    fine: "The clock here agrees with Stripe’s",
    failed: "The clock here does not agree with Stripe’s",
    todo: "Whoever runs Billhook should set the clock, or find the proxy that holds deliveries back.",
  },
  strangers_at_stripe: {
    fine: "Nothing unknown at Stripe sends here",
    failed: "Endpoints at Stripe send here that this stack did not make",
    todo: "Find out who made each. Do not delete them unasked: they may be somebody else’s.",
  },
  records_as_stripe: {
    fine: "Records are as Stripe’s objects",
    failed: "Records were not all as Stripe’s objects",
    todo: "What differed is mended already. See that the endpoint asks for all event types and the key may read these kinds.",
  },
  import_goes_on: {
    fine: "The import gets on",
    failed: "The import does not get on",
    todo: "Put the key or its rights right; it goes on by itself. Kinds that were refused need another import.",
  },
  erasures_go_on: {
    fine: "Personal data that is to be erased is erased",
    failed: "Personal data that is to be erased is not erased yet",
    todo: "Delete the customer at Stripe, or replay or discard the events that it waits for; it then goes on by itself.",
  },
  registered_whole: {
    fine: "It was registered to the end",
    failed: "It was not registered, changed or removed to the end",
    todo: "Wait: within five minutes it is finished, or taken back.",
  },
  secret_present: {
    fine: "Its signing secret is kept",
    failed: "Its signing secret is lost",
    todo: "Repair it: Stripe then makes another endpoint, with another secret.",
  },
  rotation_ends: {
    fine: "No change of its signing secret is overdue",
    failed: "A change of its signing secret does not end, or is overdue",
    todo: "Rotate it. Stripe’s limit of endpoints must leave room for one more, and the key must be able to read events.",
  },
  at_stripe: {
    fine: "Stripe knows it",
    failed: "Stripe does not know it",
    todo: "Repair it: it is made at Stripe again.",
  },
  enabled_at_stripe: {
    fine: "It is enabled at Stripe as it is wanted here",
    failed: "It is not enabled at Stripe as it is wanted here",
    todo: "Repair it. Stripe disables an endpoint that fails for days.",
  },
  url_as_wanted: {
    fine: "Stripe sends to the right address",
    failed: "Stripe sends to another address",
    todo: "Repair it: the address is put back.",
  },
  events_as_wanted: {
    fine: "Stripe sends the events that are wanted",
    failed: "Stripe does not send the events that are wanted",
    todo: "Repair it: the list of events is put back.",
  },
  api_version_as_wanted: {
    fine: "Events come in the right API version",
    failed: "Events come in another API version",
    todo: "Stripe cannot change it in place. Rotate the endpoint with the version that is wanted.",
  },
  mode_as_wanted: {
    fine: "It is on the right side of Stripe",
    failed: "It is on the other side of Stripe: test in place of live, or the reverse",
    todo: "Deregister it and register it anew with a key of the right mode.",
  },
  deliveries_arrive: {
    fine: "Deliveries arrive",
    failed: "Deliveries do not arrive",
    todo: "Test the endpoint: it shows where requests end. Nothing is lost; what is missing is fetched from Stripe.",
  },
  probe_arrives: {
    fine: "A request of ours reaches it",
    failed: "A request of ours does not reach it",
    todo: "Test the endpoint to see at which step it ends: name, connection, or what answers there.",
  },
  signatures_match: {
    fine: "Deliveries are signed with the secret that is kept here",
    failed: "Requests come with a signature that does not match",
    todo: "If the secret was rolled at Stripe, deregister the endpoint and register it anew. Else a proxy changes what it passes on.",
  },
  events_applied: {
    fine: "What it brings is applied to records",
    failed: "Some of what it brings changes no record",
    todo: "Ask for fewer event types, or have the settings ignore fewer.",
  },
  payouts_add_up: {
    fine: "What is in each payout adds up to it",
    failed: "What is in a payout does not add up to it",
    todo: "Open the payout, download its list as CSV, and compare it with Stripe’s payout reconciliation report. It is listed again each night.",
  },
  payouts_arrive: {
    fine: "Payouts arrive at the bank",
    failed: "A payout failed, or is later than its date",
    todo: "Open the payout. If it failed, put the bank account right at Stripe; if it is late, ask your bank with its trace.",
  },
} satisfies Record<CheckCode, CheckWords>;

/** What the buttons beside a check say. */
export const checkActions = {
  register: "Register a webhook",
  set_key: "Set a Stripe key",
  repair: "Repair",
  rotate: "Rotate the secret",
  test: "Test",
  reconcile: "Reconcile now",
  see_dead: "See what failed",
  see_quarantined: "See what is set aside",
  see_uncertain: "See these records",
  see_import: "See the import",
  see_payouts: "See the payouts",
  change_endpoint: "Change the event types",
} as const;
