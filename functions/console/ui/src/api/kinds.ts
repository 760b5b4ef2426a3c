// The description of the kinds, from which lists and pages of records are built, so that a kind that is added
// later shows by itself: a kind's name is any text here, while the contract lists those of its release.
import type { components } from "./types.gen.ts";
import type { ListedRecord, Page } from "./types.ts";

type Described = components["schemas"]["KindDescription"];

/** A kind of record, as `GET /records` describes it. */
export interface Kind extends Omit<Described, "kind" | "references"> {
  kind: string;
  /** Members of the object that name another record. */
  references: { member: string; kind: string }[];
}

/** What a list of records can be asked for. */
export interface RecordFilter {
  customer?: string;
  status?: string;
  account?: string;
  /** Any part of the id or of a label. */
  search?: string;
  limit?: number;
}

/** A page of records; it can be short or empty and still have a next one. */
export type RecordPage = Page<ListedRecord>;
