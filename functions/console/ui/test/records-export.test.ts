// Lists of records as files for spreadsheets: exact, harmless, and never silently cut.
import { describe, expect, test, vi } from "vitest";
import { Problem } from "../src/api/problem.ts";
import type { Page } from "../src/api/types.ts";
import { exportColumns, exportName, exportRow, exportText } from "../src/pages/records/export.ts";
import { readAll } from "../src/pages/records/export-all.ts";
import { kinds, payment, record } from "./help/records.ts";

const kind = (name: string) => kinds.find((one) => one.kind === name) ?? kinds[0];

function table(name: string, ...records: ReturnType<typeof record>[]): string[] {
  const described = kind(name);
  if (!described) throw new Error("no such kind");
  const columns = exportColumns(described);
  const text = exportText(
    columns,
    records.map((one) => exportRow(columns, one)),
  );
  return text.trimEnd().split("\r\n");
}

describe("a file", () => {
  test("has each sum as a decimal, its currency, and Stripe's integer; times in UTC", () => {
    const [heads, yen, dinar] = table(
      "refunds",
      record("refunds", { currency: "jpy", status: "succeeded", object: { amount: 500 } }),
      record("refunds", { currency: "kwd", status: "failed", object: { amount: 9007199254740993n } }),
    );
    expect(heads).toBe(
      "id,name,status,currency,amount,amount_smallest_unit,customer,created,as_of,account,event,deleted",
    );
    expect(yen).toBe("re_1,,succeeded,JPY,500,500,,2026-07-25T17:20:00Z,2026-11-24T11:58:00Z,,evt_1,false");
    expect(dinar).toContain("KWD,9007199254740.993,9007199254740993");
  });

  test("of payments has what was taken, given back and disputed", () => {
    const [heads, row] = table("payments", payment({ amount_refunded: 500, state: "partially_refunded" }));
    expect(heads).toContain("state,status,currency,amount,amount_smallest_unit,amount_captured");
    expect(row).toContain("partially_refunded,succeeded,EUR,25.00,2500,25.00,2500,5.00,500,0.00,0");
  });

  test("carries out nothing that a customer called themselves", () => {
    const [, row] = table("customers", record("customers", { object: { name: '=HYPERLINK("x","y")' } }));
    expect(row).toContain(`"'=HYPERLINK(""x"",""y"")"`);
  });

  test("is called by what it is, of which stack, and when", () => {
    expect(exportName("a/b", "my stack", "live", new Date(Date.UTC(2026, 10, 30, 9, 5)))).toBe(
      "my-stack-live-a-b-2026-11-30-09-05.csv",
    );
  });
});

describe("a list is read to its end", () => {
  const pages: Record<string, Page<number>> = {
    "": { data: [1, 2], next_cursor: "b" },
    b: { data: [], next_cursor: "c" },
    c: { data: [3], next_cursor: null },
  };

  function reading(page: (cursor: string) => Page<number> | Promise<Page<number>>, most = 100) {
    const stop = new AbortController();
    const seen: number[][] = [];
    const failed = vi.fn();
    const ended = readAll({
      page: async (cursor) => page(cursor ?? ""),
      most,
      progress: (rows) => {
        seen.push(rows);
      },
      failed,
      signal: stop.signal,
      wait: async () => {},
    });
    return { ended, seen, failed, stop };
  }

  test("over pages that are empty", async () => {
    const { ended, seen } = reading((cursor) => pages[cursor] as Page<number>);
    expect(await ended).toBe("end");
    expect(seen.at(-1)).toEqual([1, 2, 3]);
  });

  test("and no further than the limit, which is told", async () => {
    const two = reading((cursor) => pages[cursor] as Page<number>, 2);
    expect(await two.ended).toBe("capped");
    expect(two.seen.at(-1)).toEqual([1, 2]);
    expect(await reading((cursor) => pages[cursor] as Page<number>, 3).ended).toBe("end");
  });

  test("again where it failed for a moment, and what was read is kept where it fails for good", async () => {
    let failures = 2;
    const passing = reading((cursor) => {
      if (cursor === "b" && failures-- > 0) throw new Problem("throttled", "");
      return pages[cursor] as Page<number>;
    });
    expect(await passing.ended).toBe("end");
    const lasting = reading((cursor) => {
      if (cursor === "c") throw new Problem("forbidden", "");
      return pages[cursor] as Page<number>;
    });
    expect(await lasting.ended).toBe("failed");
    expect(lasting.failed).toHaveBeenCalledOnce();
    expect(lasting.seen.at(-1)).toEqual([1, 2]);
  });

  test("until somebody stops it", async () => {
    const reader = reading((cursor) => {
      if (cursor === "b") reader.stop.abort();
      return pages[cursor] as Page<number>;
    });
    expect(await reader.ended).toBe("stopped");
    expect(reader.seen[0]).toEqual([1, 2]);
  });
});
