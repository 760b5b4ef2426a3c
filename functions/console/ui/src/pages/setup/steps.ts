// How far the set-up is, read from the API each time, so that it goes on wherever it was left.
import type { Endpoint, Import, Settings, Status } from "../../api/types.ts";
import { missingRights } from "../../parts/webhook/key-rights.ts";

export const STEPS = ["key", "register", "import", "active"] as const;
export type Step = (typeof STEPS)[number];

/** `unknown` while the API has not answered; `trouble` is done or under way, and needs a look. */
export type StepState = "done" | "now" | "later" | "working" | "trouble" | "unknown";

export interface Facts {
  settings: Settings | undefined;
  endpoints: Endpoint[] | undefined;
  imported: Import | undefined;
  status: Status | undefined;
}

/** The state of each step. */
export function stepsOf({ settings, endpoints, imported, status }: Facts): Record<Step, StepState> {
  const hasKey = settings?.stripe_key != null;
  return {
    key: keyStep(settings),
    register: registerStep(endpoints, hasKey),
    import: importStep(imported, hasKey, (endpoints?.length ?? 0) > 0),
    active: activeStep(status, endpoints),
  };
}

function keyStep(settings: Settings | undefined): StepState {
  if (!settings) return "unknown";
  if (!settings.stripe_key) return "now";
  return missingRights(settings.stripe_key.rights).length > 0 ? "trouble" : "done";
}

function registerStep(endpoints: Endpoint[] | undefined, hasKey: boolean): StepState {
  if (!endpoints) return "unknown";
  if (endpoints.length === 0) return hasKey ? "now" : "later";
  return endpoints.every(({ state }) => state === "registering") ? "working" : "done";
}

function importStep(imported: Import | undefined, hasKey: boolean, registered: boolean): StepState {
  if (!imported) return "unknown";
  if (imported.state === "running") return imported.halted ? "trouble" : "working";
  if (imported.state === "finished") return imported.refused.count > 0 ? "trouble" : "done";
  return hasKey && registered ? "now" : "later";
}

function activeStep(status: Status | undefined, endpoints: Endpoint[] | undefined): StepState {
  if (!status || !endpoints) return "unknown";
  if (endpoints.length === 0) return "later";
  if (status.status === "active") return "done";
  return status.status === "error" ? "trouble" : "now";
}
