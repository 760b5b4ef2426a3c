// What pages read out of the status.
import type { Check, CheckCode, Status } from "../api/types.ts";

function evidence(status: Status, code: CheckCode): Record<string, unknown> {
  return status.checks.find((check) => check.code === code)?.evidence ?? {};
}

function time(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** Up to when all that Stripe made has been compared with the ledger; null where that is not known. */
export function comparedUntil(status: Status): string | null {
  return time(evidence(status, "events_compared").compared_until);
}

/** When Stripe was last asked what it has. */
export function reconciledAt(status: Status): string | null {
  return time(evidence(status, "reconciled_lately").reconciled_at);
}

/** When an endpoint was last sent a request of ours that the status knows of. */
export function probedAt(status: Status, name: string): string | null {
  const endpoint = status.endpoints.find((one) => one.name === name);
  return time(endpoint?.checks.find((check) => check.code === "probe_arrives")?.evidence?.at);
}

function allChecks(status: Status): Check[] {
  return [...status.checks, ...status.endpoints.flatMap((endpoint) => endpoint.checks)];
}

/** How many checks fail, of the stack and of its endpoints. What is not known yet is no failure. */
export function failing(status: Status): number {
  return allChecks(status).filter((check) => check.outcome === "failed").length;
}

/** How many checks are neither well nor amiss; an outcome of a later release is one of them. */
export function notKnown(status: Status): number {
  return allChecks(status).filter((check) => check.outcome !== "failed" && check.outcome !== "ok").length;
}
