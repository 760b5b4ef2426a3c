// A list of records as a table for spreadsheets: each sum as a decimal text with its currency, and as the integer
// that it is; times in UTC.
import type { Kind } from "../../api/kinds.ts";
import type { Integer } from "../../api/types.ts";
import { type Cell, csv } from "../../format/csv.ts";
import { plainAmount } from "../../format/money.ts";
import { type AnyRecord, amountOf, createdOf, isPayment, labelsOf } from "./record.ts";

/** So many rows a file holds at most: what spreadsheets open without trouble. */
export const MOST_ROWS = 50_000;

interface ExportColumn {
  head: string;
  cell: (record: AnyRecord) => Cell;
}

/** A sum's two columns. */
function sum(head: string, amount: (record: AnyRecord) => Integer | null | undefined): ExportColumn[] {
  return [
    {
      head,
      cell: (record) => {
        const value = amount(record);
        return value === null || value === undefined || !record.currency
          ? null
          : plainAmount(value, record.currency);
      },
    },
    { head: `${head}_smallest_unit`, cell: amount },
  ];
}

/** Stripe's unix seconds as RFC 3339 in UTC. */
function utc(seconds: number | null): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

/** The columns of a kind's table. Their heads are the API's names, which programs read. */
export function exportColumns(kind: Kind): ExportColumn[] {
  const hasSum = kind.amount !== null;
  return [
    { head: "id", cell: (record) => record.id },
    { head: "name", cell: (record) => labelsOf(record, kind)[0] },
    ...(kind.kind === "payments" ? [{ head: "state", cell: (record: AnyRecord) => record.state }] : []),
    ...(kind.statuses.length > 0 ? [{ head: "status", cell: (record: AnyRecord) => record.status }] : []),
    ...(hasSum ? [{ head: "currency", cell: (record: AnyRecord) => record.currency?.toUpperCase() }] : []),
    ...(hasSum ? sum("amount", (record) => amountOf(record, kind)) : []),
    ...(kind.kind === "payments"
      ? [
          ...sum("amount_captured", (record) => (isPayment(record) ? record.amount_captured : null)),
          ...sum("amount_refunded", (record) => (isPayment(record) ? record.amount_refunded : null)),
          ...sum("amount_disputed", (record) => (isPayment(record) ? record.amount_disputed : null)),
        ]
      : []),
    { head: "customer", cell: (record) => record.customer },
    { head: "created", cell: (record) => utc(createdOf(record)) },
    { head: "as_of", cell: (record) => record.as_of },
    { head: "account", cell: (record) => record.account },
    { head: "event", cell: (record) => record.event },
    { head: "deleted", cell: (record) => record.deleted },
  ];
}

/** The cells of a record: what is kept of it while a long list is read. */
export function exportRow(columns: readonly ExportColumn[], record: AnyRecord): Cell[] {
  return columns.map((column) => column.cell(record));
}

/** The whole table as text. */
export function exportText(columns: readonly ExportColumn[], rows: readonly Cell[][]): string {
  return csv(
    columns.map((column) => column.head),
    rows,
  );
}

/** The name of the file: what, of which stack, when. */
export function exportName(kind: string, stack: string, mode: string, at: Date): string {
  const safe = (text: string) => text.replace(/[^\w-]+/g, "-");
  return `${safe(stack)}-${mode}-${safe(kind)}-${at.toISOString().slice(0, 16).replace(/[:T]/g, "-")}.csv`;
}
