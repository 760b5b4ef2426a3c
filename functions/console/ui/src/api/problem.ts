// What can go wrong with a request, as one type that every page shows in the same way.
import type { components } from "./types.gen.ts";

export type ErrorCode = components["schemas"]["ErrorCode"];

/** What a problem looks like to a person; `words` has the texts of each. */
export type ProblemKind =
  | "network" // no connection to the API
  | "slow" // no answer within the time that one can take
  | "unauthenticated" // nobody is signed in any more
  | "forbidden" // signed in, and may not
  | "not_found" // there is no such thing
  | "invalid" // a field has a wrong value
  | "conflict" // something else is under way, or was quicker
  | "too_large" // the request is too large
  | "throttled" // too many requests
  | "stripe" // Stripe refused
  | "failed" // the function ended without an answer
  | "unavailable" // something that is needed does not answer
  | "not_understood"; // an answer, but not one of the API's

/** A request that was not done. */
export class Problem extends Error {
  override name = "Problem";
  readonly kind: ProblemKind;
  readonly status: number | null;
  readonly code: ErrorCode | null;
  readonly field: string | null;
  readonly remedy: string | null;
  readonly requestId: string | null;
  /** How many seconds to wait before asking again, where the answer says so. */
  readonly retryAfter: number | null;

  constructor(kind: ProblemKind, message: string, rest: Partial<Omit<Problem, "kind" | "message">> = {}) {
    super(message, { cause: rest.cause });
    this.kind = kind;
    this.status = rest.status ?? null;
    this.code = rest.code ?? null;
    this.field = rest.field ?? null;
    this.remedy = rest.remedy ?? null;
    this.requestId = rest.requestId ?? null;
    this.retryAfter = rest.retryAfter ?? null;
  }

  /** Whether the same request can succeed a little later. */
  get passing(): boolean {
    return ["network", "slow", "throttled", "failed", "unavailable"].includes(this.kind);
  }
}

const KINDS: Record<number, ProblemKind> = {
  400: "invalid",
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  405: "not_found",
  409: "conflict",
  413: "too_large",
  429: "throttled",
  500: "failed",
  502: "stripe",
  503: "unavailable",
  504: "slow",
};

/** The problem that an answer with an error status is. `body` is its JSON, `undefined` where it is none. */
export function problemOf(response: Response, body: unknown): Problem {
  const status = response.status;
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  const kind = KINDS[status] ?? (status >= 500 ? "failed" : "not_understood");
  const error = field(body, "error");
  const message = text(field(error, "message"));
  if (message !== null) {
    return new Problem(kind, message, {
      status,
      retryAfter,
      code: text(field(error, "code")) as ErrorCode | null,
      field: text(field(error, "field")),
      remedy: text(field(error, "remedy")),
      requestId: text(field(error, "request_id")),
    });
  }
  // API Gateway's own answers have a message alone; whatever else answers in the API's place has not even that.
  const known = field(body, "message") !== undefined;
  const requestId = response.headers.get("apigw-requestid");
  return new Problem(known || kind === "throttled" || kind === "unauthenticated" ? kind : odd(kind), "", {
    status,
    retryAfter,
    requestId,
  });
}

/** A proxy's page with a 5xx is still an outage; with any other status it is nothing that the API says. */
function odd(kind: ProblemKind): ProblemKind {
  return ["failed", "stripe", "unavailable", "slow"].includes(kind) ? "unavailable" : "not_understood";
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
