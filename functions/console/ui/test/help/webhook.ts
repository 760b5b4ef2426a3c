// Endpoints, settings, checks and imports as the API gives them.
import type { Check, Endpoint, Import, RegisteredEndpoint, Settings, Status } from "../../src/api/types.ts";

export function endpoint(rest: Partial<Endpoint> = {}): Endpoint {
  return {
    name: "main",
    url: "https://billhook.example/webhooks/main",
    stripe_id: "we_1SampleEndpoint",
    dashboard_url: "https://dashboard.stripe.com/test/webhooks/we_1SampleEndpoint",
    events: ["charge.refunded", "invoice.paid"],
    description: "",
    mode: "test",
    api_version: "2026-10-28.endive",
    connect: false,
    state: "active",
    created_at: "2026-11-24T12:00:00Z",
    rotated_at: null,
    signing_secret_hint: "k3Yz",
    ...rest,
  };
}

export const SECRET = "whsec_sampleSampleSampleSamplek3Yz";

export function registered(rest: Partial<RegisteredEndpoint> = {}): RegisteredEndpoint {
  return { ...endpoint(), signing_secret: SECRET, probe: null, ...rest };
}

/** The settings, with a key of these rights: an open set, of which the contract names those of this release. */
export function settings(rights: Record<string, string> | null = null): Settings {
  const known = rights ?? { read_webhook_endpoints: "ok", read_events: "ok" };
  const stripe_key: Settings["stripe_key"] = {
    hint: "rk_test_…mple",
    set_at: "2026-11-24T12:00:00Z",
    account: "acct_1SampleAccount",
    rights: known as NonNullable<Settings["stripe_key"]>["rights"],
  };
  return {
    mode: "test",
    ignore: [],
    retry: { attempts: 12, first_delay_s: 30, longest_delay_s: 3600 },
    stripe_key,
  };
}

export const noKey: Settings = { ...settings(), stripe_key: null };

export function check(code: Check["code"], outcome: Check["outcome"], rest: Partial<Check> = {}): Check {
  return {
    code,
    outcome,
    ok: outcome === "ok",
    severity: "error",
    summary: "what was seen",
    evidence: null,
    remedy: outcome === "ok" ? null : "what the API says",
    ...rest,
  };
}

export function statusOf(checks: Check[], ofMain: Check[] = [], rest: Partial<Status> = {}): Status {
  return {
    status: "active",
    mode: "test",
    stripe_asked_at: "2026-11-30T14:09:00Z",
    endpoints: [{ name: "main", status: "active", checks: ofMain, last_delivery_at: null }],
    checks,
    counts: { pending: 0, failed: 0, dead: 0, quarantined: 0 },
    last_day: [],
    ...rest,
  };
}

export function imported(rest: Partial<Import> = {}): Import {
  return {
    state: "none",
    since: null,
    kinds: [],
    by: null,
    begun_at: null,
    ended_at: null,
    moved_at: null,
    halted: null,
    looked_at: 0,
    written: 0,
    accounts: { known: 0, through: 0, refusal: null },
    refused: { count: 0, first: [] },
    progress: [],
    ...rest,
  };
}

/** What became of the events of an hour, with how long they took. */
export function hourOf(hour: Date, rest: Partial<Status["last_day"][number]> = {}, lags = [0, 0, 0, 0]) {
  const bounds = [5, 60, 600, null] as const;
  return {
    hour: hour.toISOString(),
    ...{ processed: 0, superseded: 0, ignored: 0, quarantined: 0, failed: 0, dead: 0 },
    lag: bounds.map((within_s, n) => ({ within_s, events: lags[n] ?? 0 })),
    ...rest,
  };
}

/** A refusal of the API. */
export const refusal = (code: string, message: string, field?: string, remedy?: string) => ({
  error: { code, message, field, remedy, request_id: "req-1" },
});
