// Ids, event types, times and texts.
import { describe, expect, test } from "vitest";
import type { Kind } from "../src/api/kinds.ts";
import { grouped, matches, selected, wildcards } from "../src/format/event-types.ts";
import { kindsOf, pageOf } from "../src/format/ids.ts";
import { stripeEventTypes } from "../src/format/stripe-event-types.ts";
import { cut, member, plain, seen, sentence } from "../src/format/text.ts";
import { clock, dateTime, duration, exactTime, relative, young } from "../src/format/time.ts";

function kind(name: string, ...id_prefixes: string[]): Kind {
  const nothing = { statuses: [], amount: null, labels: [], references: [], permission: null };
  return { kind: name, object: name, id_prefixes, listed: true, by_customer: false, ...nothing };
}
const kinds = [
  kind("customers", "cus"),
  kind("charges", "ch", "py"),
  kind("subs", "sub"),
  kind("plans", "sub_sched"),
];

describe("ids", () => {
  test("an id is of the kind whose beginning fits best", () => {
    expect(kindsOf("py_1", kinds).map((k) => k.kind)).toEqual(["charges"]);
    expect(kindsOf("sub_sched_1", kinds).map((k) => k.kind)).toEqual(["plans"]);
    expect(kindsOf("sub_1", kinds).map((k) => k.kind)).toEqual(["subs"]);
    expect(kindsOf("anna", kinds)).toEqual([]);
    expect(kindsOf("subway_1", kinds)).toEqual([]);
  });

  test("an id leads to its page, an unknown one nowhere", () => {
    expect(pageOf("evt_1", [])).toBe("#/events/evt_1");
    expect(pageOf("cus_a/b?c", kinds)).toBe("#/records/customers/cus_a%2Fb%3Fc");
    expect(pageOf("cus_1", kinds, "acct_1")).toBe("#/records/customers/cus_1?account=acct_1");
    expect(pageOf("javascript:alert(1)", kinds)).toBeNull();
  });
});

describe("event types", () => {
  const types = [
    "customer.created",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "invoice.paid",
  ];
  test("a wildcard names all below it, and nothing that only begins alike", () => {
    expect(matches("customer.*", "customer.subscription.created")).toBe(true);
    expect(matches("customer.*", "customers.created")).toBe(false);
    expect(matches("invoice.paid", "invoice.paid")).toBe(true);
    expect(selected(["customer.subscription.*"], types)).toEqual(types.slice(1, 3));
  });
  test("all of Stripe's are known, from the list that the functions are built with", () => {
    expect(stripeEventTypes.length).toBeGreaterThan(200);
    expect(stripeEventTypes).toContain("invoice.paid");
    expect(stripeEventTypes.every((type) => /^[\w.]+$/.test(type))).toBe(true);
  });
  test("types stand in groups, with the wildcards that are worth one", () => {
    expect(grouped(types).map((g) => [g.group, g.types.length])).toEqual([
      ["customer", 3],
      ["invoice", 1],
    ]);
    expect(wildcards(types)).toEqual(["customer.*", "customer.subscription.*"]);
  });
});

describe("times", () => {
  const now = Date.parse("2026-11-30T12:00:00Z");
  test("while young they say how long ago", () => {
    expect(relative("2026-11-30T11:59:48Z", now)).toBe("12 s ago");
    expect(relative("2026-11-30T12:03:05Z", now)).toBe("in 3 min");
    expect(relative(now / 1000, now)).toBe("now");
    expect(young("2026-11-30T11:30:00Z", now)).toBe(true);
    expect(young("2026-11-30T10:30:00Z", now)).toBe(false);
    expect(duration(49 * 3_600_000)).toBe("2 d");
  });
  test("they are exact in UTC, whatever the zone", () => {
    expect(exactTime("2026-11-30T23:59:59Z", "utc")).toBe("Nov 30, 2026, 23:59:59 UTC");
    expect(dateTime(0, "utc")).toBe("Jan 1, 1970, 00:00:00");
    expect(clock("2026-11-30T09:05:00Z", now, "utc")).toBe("09:05");
    expect(clock("2026-11-29T09:05:00Z", now, "utc")).toBe("Nov 29, 2026, 09:05");
  });
});

describe("texts of others", () => {
  test("a long one is cut between characters", () => {
    expect(cut("short")).toBeNull();
    expect(cut("a".repeat(10_000))).toHaveLength(300);
    expect(cut("ab😀cd", 3)).toBe("ab");
  });
  test("what turns the direction is written out", () => {
    expect(seen("moc.\u202egnp.exe")).toBe("moc.\\u202egnp.exe");
    expect(seen("Grüße, 你好\n")).toBe("Grüße, 你好\n");
  });
  test("a fragment becomes a sentence, and a name in front of it stays a name", () => {
    expect(sentence("the name is taken")).toBe("The name is taken.");
    expect(sentence("api_version is unknown")).toBe("api_version is unknown.");
    expect(sentence("invoice.paid is no pattern?")).toBe("invoice.paid is no pattern?");
  });
  test("members are found by their path", () => {
    expect(member({ billing_details: { email: "a@example.com" } }, "billing_details.email")).toBe(
      "a@example.com",
    );
    expect(member({ a: null }, "a.b")).toBeUndefined();
    expect(plain("past_due")).toBe("Past due");
  });
});
