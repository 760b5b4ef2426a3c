// The words of a check, and what can be done about it from here.
import type { Check, CheckCode } from "../api/types.ts";
import { words } from "../words/words.ts";

export type CheckAction = keyof typeof words.checkActions;

const ACTIONS: Record<CheckCode, CheckAction | null> = {
  endpoint_registered: "register",
  secrets_manager_answers: null,
  stripe_key_present: "set_key",
  stripe_key_accepted: "set_key",
  stripe_key_rights: "set_key",
  stripe_answers: null,
  left_over_at_stripe: null,
  events_failed: "see_dead",
  events_quarantined: "see_quarantined",
  backlog: null,
  order_uncertain: "see_uncertain",
  records_whole: null,
  reconciled_lately: "reconcile",
  events_readable: "set_key",
  events_compared: "reconcile",
  accounts_readable: null,
  clock: null,
  strangers_at_stripe: null,
  records_as_stripe: null,
  import_goes_on: "see_import",
  erasures_go_on: null,
  registered_whole: null,
  secret_present: "repair",
  rotation_ends: "rotate",
  at_stripe: "repair",
  enabled_at_stripe: "repair",
  url_as_wanted: "repair",
  events_as_wanted: "repair",
  api_version_as_wanted: "rotate",
  mode_as_wanted: null,
  deliveries_arrive: "test",
  probe_arrives: "test",
  signatures_match: "test",
  events_applied: "change_endpoint",
  payouts_add_up: "see_payouts",
  payouts_arrive: "see_payouts",
};

export interface ShownCheck {
  title: string;
  /** What to do, or what it waits for; null where it is well. */
  todo: string | null;
  action: CheckAction | null;
}

/** A check in the words of this page; one of a later release in the API's. */
export function checkWords(check: Check): ShownCheck {
  const known = Object.hasOwn(words.checks, check.code) ? words.checks[check.code] : undefined;
  if (!known) return { title: check.summary, todo: check.remedy, action: null };
  if (check.outcome === "ok") return { title: known.fine, todo: null, action: null };
  if (check.outcome !== "failed") {
    const action = ACTIONS[check.code];
    const finds = action === "test" || action === "reconcile" ? action : null;
    return { title: known.fine, todo: withoutCalls(check.remedy), action: finds };
  }
  return { title: known.failed, todo: known.todo, action: ACTIONS[check.code] };
}

/** What an unknown check waits for, without the calls that the API names there: here they are buttons. */
function withoutCalls(remedy: string | null): string | null {
  const clauses = (remedy ?? "")
    .split(";")
    .filter((clause) => !/\b(GET|POST|PUT|PATCH|DELETE) \//.test(clause));
  return clauses.join(";").trim() || remedy;
}
