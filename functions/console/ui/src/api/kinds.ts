// The description of the kinds, from which lists and pages of records are built, so that a kind that is added
// later shows by itself. Typed by hand, as the contract describes it: a kind's name is any text here.
import type { ListedRecord, Page } from "./types.ts";

/** A kind of record, as `GET /records` describes it. */
export interface Kind {
  kind: string;
  /** Stripe's name of the object. */
  object: string;
  /** What ids begin with; none where merchants choose them. */
  id_prefixes: string[];
  /** The statuses that Stripe knows; others can come. */
  statuses: string[];
  /** The member of the object that holds its sum, in `currency`. */
  amount: string | null;
  /** Members of the object, dotted, that people know it by. */
  labels: string[];
  /** Members of the object that name another. */
  references: { member: string; kind: string }[];
}

/** What `GET /records` answers. */
export interface Kinds {
  data: Kind[];
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
