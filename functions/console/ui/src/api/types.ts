// The API's words as short names.
import type { components, operations } from "./types.gen.ts";

type Schemas = components["schemas"];

export type AuditEntry = Schemas["AuditEntry"];
export type AuditAction = Schemas["AuditAction"];
export type BulkOutcome = Schemas["BulkOutcome"];
export type Check = Schemas["Check"];
export type CheckCode = Schemas["CheckCode"];
export type Count = Schemas["Count"];
export type Endpoint = Schemas["Endpoint"];
export type EndpointChange = Schemas["EndpointChange"];
export type EndpointState = Schemas["EndpointState"];
export type EndpointTest = Schemas["EndpointTest"];
export type Erasure = Schemas["Erasure"];
export type ErrorCode = Schemas["ErrorCode"];
export type EventState = Schemas["EventState"];
export type HealthStatus = Schemas["HealthStatus"];
export type Import = Schemas["Import"];
export type LedgerEvent = Schemas["Event"];
export type ListedRecord = Schemas["ListedRecord"];
export type Mode = Schemas["Mode"];
export type NewEndpoint = Schemas["NewEndpoint"];
export type Payment = Schemas["Payment"];
export type PaymentState = Schemas["PaymentState"];
export type Reconciliation = Schemas["Reconciliation"];
export type RegisteredEndpoint = Schemas["RegisteredEndpoint"];
export type RulesChange = Schemas["RulesChange"];
export type Settings = Schemas["Settings"];
export type SigningSecrets = Schemas["SigningSecrets"];
export type Status = Schemas["Status"];
export type StripeFailure = Schemas["StripeFailure"];
export type StripeObject = Schemas["StripeObject"];
export type TestStep = Schemas["TestStep"];
export type WholeEvent = Schemas["WholeEvent"];
export type WholeRecord = Schemas["WholeRecord"];

/** What `GET /events` can be asked for. */
export type EventFilter = NonNullable<operations["listEvents"]["parameters"]["query"]>;
/** What a replay or a discarding of many takes. */
export type ReplayFilter = NonNullable<
  operations["replayEvents"]["requestBody"]
>["content"]["application/json"];
export type DiscardFilter = NonNullable<
  operations["discardEvents"]["requestBody"]
>["content"]["application/json"];

/** An integer of the API; beyond 2^53 it is a `bigint` (`json.ts`). */
export type Integer = number | bigint;
/** A page of a list. */
export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}
