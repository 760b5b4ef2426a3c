// What an entry of the audit says, in words.
import type { AuditEntry } from "../api/types.ts";
import { to } from "../links.ts";
import { words } from "../words/words.ts";

/** What was done; an action of a later release by its own name. */
export function actionOf(entry: AuditEntry): string {
  const { actions } = words.audit;
  return Object.hasOwn(actions, entry.action) ? actions[entry.action] : entry.action;
}

/** Who did it. */
export function whoOf(entry: AuditEntry): string {
  if (entry.email) return entry.email;
  if (entry.subject === "schedule") return words.audit.schedule;
  return entry.subject === "iam" ? words.audit.iam : entry.subject;
}

/** The page of what it was done to. */
export function targetPage(entry: AuditEntry): string | null {
  if (entry.target === "-") return null;
  if (entry.action.startsWith("endpoint.")) return to.endpoint(entry.target);
  if (entry.target.startsWith("evt_")) return to.event(entry.target);
  if (entry.target === "events") return to.events();
  return entry.action.startsWith("settings.") ? to.stripe() : null;
}
