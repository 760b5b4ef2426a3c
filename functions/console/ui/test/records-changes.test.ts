// What an event changed: as it says itself, or as it differs from the event before.
import { describe, expect, test } from "vitest";
import type { WholeEvent } from "../src/api/types.ts";
import { differences, meaningOf, objectOf, previousOf, reported } from "../src/pages/records/changes.ts";

const event = (payload: unknown) => ({ payload }) as WholeEvent;

describe("what an event says that it replaced", () => {
  test("is each member as it was, beside what it is", () => {
    const object = { status: "active", plan: { amount: 2000, name: "b" }, tags: [1, 2] };
    const previous = { status: "incomplete", plan: { amount: 1000 }, tags: [1], coupon: "x" };
    expect(reported(previous, object)).toEqual([
      { path: "status", before: "incomplete", after: "active" },
      { path: "plan.amount", before: 1000, after: 2000 },
      { path: "tags", before: [1], after: [1, 2] },
      { path: "coupon", before: "x", after: undefined },
    ]);
  });

  test("is nothing where it says nothing, or its payload is gone", () => {
    expect(previousOf(event({ data: { object: {}, previous_attributes: {} } }))).toBeNull();
    expect(previousOf(event({ data: { object: {} } }))).toBeNull();
    expect(objectOf(event(null))).toBeNull();
    expect(objectOf(event("not JSON"))).toBeNull();
    expect(objectOf(event({ data: { object: { id: "in_1" } } }))).toEqual({ id: "in_1" });
  });
});

test("two objects differ where a value does, and null is as not there", () => {
  const before = { a: 1, b: { c: [1, { d: 2 }], e: "x" }, gone: true, none: null, large: 9007199254740993n };
  const after = { a: 1, b: { c: [1, { d: 3 }], e: "x" }, come: "y", large: 9007199254740992n };
  expect(differences(before, after)).toEqual([
    { path: "b.c", before: [1, { d: 2 }], after: [1, { d: 3 }] },
    { path: "gone", before: true, after: undefined },
    { path: "large", before: 9007199254740993n, after: 9007199254740992n },
    { path: "come", before: undefined, after: "y" },
  ]);
  expect(differences(before, structuredClone(before))).toEqual([]);
});

test("sums and times are known by their names, and counts are not taken for either", () => {
  for (const path of [
    "amount",
    "amount_paid",
    "items.unit_amount",
    "total",
    "subtotal_excluding_tax",
    "balance",
  ]) {
    expect(meaningOf(path, 2000), path).toBe("sum");
  }
  for (const path of ["created", "next_payment_attempt", "current_period_end", "evidence_details.due_by"]) {
    expect(meaningOf(path, 1_785_000_000), path).toBe("time");
  }
  for (const path of ["attempt_count", "total_count", "quantity", "days_until_due"]) {
    expect(meaningOf(path, 3), path).toBe("plain");
  }
  expect(meaningOf("billing_cycle_anchor_end", 31)).toBe("plain");
  expect(meaningOf("amount", "2000")).toBe("plain");
});
