// The checks of the stack and of its endpoints, those in trouble first.
import type { Check, Status } from "../../api/types.ts";

/** A check, and the endpoint that it is of; null for the whole stack. */
export interface PlacedCheck {
  key: string;
  check: Check;
  endpoint: string | null;
}

export interface SortedChecks {
  failed: PlacedCheck[];
  unknown: PlacedCheck[];
  fine: PlacedCheck[];
}

/** The checks of a status; with `of`, those of one endpoint alone. */
export function sortedChecks(status: Status, of?: string): SortedChecks {
  const place = (endpoint: string | null) => (check: Check) => ({
    key: `${endpoint ?? ""}/${check.code}`,
    check,
    endpoint,
  });
  const stack = of === undefined ? status.checks.map(place(null)) : [];
  const endpoints = status.endpoints.filter(({ name }) => of === undefined || name === of);
  const all = [...stack, ...endpoints.flatMap(({ name, checks }) => checks.map(place(name)))];
  const is = (outcome: Check["outcome"]) => all.filter(({ check }) => check.outcome === outcome);
  const failed = is("failed");
  const weight = ({ check }: PlacedCheck) => (check.severity === "error" ? 0 : 1);
  return {
    failed: failed.sort((a, b) => weight(a) - weight(b)),
    // What is neither well nor amiss, an outcome of a later release too, is never shown as well.
    unknown: all.filter(({ check }) => check.outcome !== "failed" && check.outcome !== "ok"),
    fine: is("ok"),
  };
}
