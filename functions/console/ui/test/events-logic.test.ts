// Events: what the list asks for, that nothing moves while it is read, how causes are made, what an event's life says.
import { describe, expect, test } from "vitest";
import { changesOf, shownValue } from "../src/pages/events/changed.ts";
import { type Asked, isOver, NAMES, toFilter } from "../src/pages/events/filters.ts";
import { lifeOf } from "../src/pages/events/life.ts";
import { LiveList } from "../src/pages/events/live.svelte.ts";
import { reasonOf, shortReason } from "../src/pages/events/reason.ts";
import { byCause, causeWords, codeOf } from "../src/parts/causes.ts";
import { event, wholeEvent } from "./help/samples.ts";

const nothing = Object.fromEntries(NAMES.map((name) => [name, ""])) as Asked;
const NOW = Date.UTC(2026, 10, 30, 12);

describe("the list asks for", () => {
  test("the last 24 hours, if nobody says otherwise", () => {
    expect(toFilter(nothing, NOW)).toEqual({ since: "2026-11-29T12:00:00.000Z" });
  });

  test("all that waits, and all of an object, however old", () => {
    expect(toFilter({ ...nothing, state: "dead" }, NOW)).toEqual({ state: "dead" });
    expect(toFilter({ ...nothing, object: "in_1" }, NOW)).toEqual({ object: "in_1" });
    expect(toFilter({ ...nothing, state: "processed" }, NOW).since).toBeDefined();
  });

  test("what the address says, a word or a time", () => {
    expect(toFilter({ ...nothing, state: "dead", since: "1h" }, NOW).since).toBe("2026-11-30T11:00:00.000Z");
    expect(toFilter({ ...nothing, since: "2026-01-01T00:00:00Z" }, NOW).since).toBe("2026-01-01T00:00:00Z");
    expect(toFilter({ ...nothing, since: "all", type: "customer.*" }, NOW)).toEqual({ type: "customer.*" });
    const hour = { since: "2026-11-30T10:00:00Z", until: "2026-11-30T11:00:00Z" };
    expect(toFilter({ ...nothing, ...hour, state: "dead" }, NOW)).toEqual({ ...hour, state: "dead" });
    expect(toFilter({ ...nothing, until: hour.until }, NOW)).toEqual({ until: hour.until });
    expect(isOver({ ...nothing, ...hour }, NOW)).toBe(true);
    expect(isOver({ ...nothing, until: "2026-11-30T12:00:00.001Z" }, NOW)).toBe(false);
    expect(isOver(nothing, NOW)).toBe(false);
    expect(toFilter({ ...nothing, since: "constructor" }, NOW).since).toBe("constructor");
  });
});

describe("while somebody reads", () => {
  const loaded = [event(1), event(2, { state: "pending" }), event(3)];
  const page = (data: ReturnType<typeof event>[], next_cursor: string | null = null) => ({
    data,
    next_cursor,
  });

  test("new events wait, and nothing moves", () => {
    const list = new LiveList(() => loaded);
    const before = list.rows;
    list.heard(page([event(-1), event(0), event(1)], "more"), false);
    expect(list.rows).toBe(before);
    expect(list.waiting.map(({ id }) => id)).toEqual([event(-1).id, event(0).id]);
    list.take();
    expect(list.rows.map(({ id }) => id)).toEqual([-1, 0, 1, 2, 3].map((n) => event(n).id));
    expect(list.waiting).toHaveLength(0);
  });

  test("a state that has changed is put in its place, and stays right when it is heard of no more", () => {
    const list = new LiveList(() => loaded);
    list.heard(page([event(1), event(2)]), false);
    expect(list.rows.map(({ state }) => state)).toEqual(["processed", "processed", "processed"]);
    list.heard(page([event(0)], "more"), false);
    expect(list.rows[1]?.state).toBe("processed");
  });

  test("an event that has left the list is marked, not taken away", () => {
    const list = new LiveList(() => loaded);
    list.heard(page([event(1), event(3)], "more"), true);
    expect(list.rows).toHaveLength(3);
    expect(list.hasLeft(event(2).id)).toBe(true);
    expect(list.hasLeft(event(1).id)).toBe(false);
    list.heard(page([event(1), event(2), event(3)], "more"), true);
    expect(list.hasLeft(event(2).id)).toBe(false);
  });

  test("what lies beyond the first page is not taken for left", () => {
    const list = new LiveList(() => loaded);
    list.heard(page([event(1)], "more"), true);
    expect(list.hasLeft(event(3).id)).toBe(false);
  });

  test("more new ones than a page holds are known to be a gap", () => {
    const list = new LiveList(() => loaded);
    list.heard(page([event(-5), event(-4)], "more"), false);
    expect(list.gap).toBe(true);
    list.heard(page([event(-5), event(1)], "more"), false);
    expect(list.gap).toBe(false);
  });

  test("10,000 rows are merged in a moment", () => {
    const many = Array.from({ length: 10_000 }, (_, n) => event(n));
    const list = new LiveList(() => many);
    const begun = performance.now();
    list.heard(page([event(-1), ...many.slice(0, 99)], "more"), true);
    list.take();
    expect(list.rows).toHaveLength(10_001);
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

describe("causes", () => {
  const dead = (n: number, reason: string | null) => event(n, { state: "dead", reason });

  test("are what stands before the colon, the largest first", () => {
    const causes = byCause(
      [
        dead(1, "Stripe refused: one"),
        dead(2, "the key may not do this: charges"),
        dead(3, "the key may not do this: invoices"),
        event(4),
      ],
      "dead",
    );
    expect(causes.map(({ text, count }) => [text, count])).toEqual([
      ["the key may not do this", 2],
      ["Stripe refused", 1],
    ]);
    expect(causes[0]?.first).toBe(event(3).marked_at);
    expect(causes[0]?.last).toBe(event(2).marked_at);
    expect(causes[0]?.example.id).toBe(event(2).id);
  });

  test("do not part by the ids after the colon", () => {
    const of = (id: string) => `Stripe does not know the object, as the key is of another account: ${id}`;
    const [cause, ...others] = byCause([dead(1, of("ch_1AbcDef")), dead(2, of("ch_2AbcDef"))], "dead");
    expect(others).toHaveLength(0);
    expect(cause?.text).toBe("Stripe does not know the object, as the key is of another account");
    expect(cause && causeWords(cause).title).toBe("Stripe does not know the object");
  });

  test("without a reason can be replayed by no filter: it would find all", () => {
    expect(byCause([dead(1, null), dead(2, "")], "dead")[0]?.text).toBe("");
    expect(codeOf(null)).toBeNull();
  });

  test("have words of their own, and those that are unknown their own words", () => {
    const title = (reason: string) => {
      const [cause] = byCause([dead(1, reason)], "dead");
      return cause && causeWords(cause).title;
    };
    expect(title("the key may not do this: x")).toBe("The Stripe key may not read what is needed");
    expect(title("a live event at a test stack")).toContain("other mode");
    expect(title("the frobnicator is out: x")).toBe("the frobnicator is out");
  });
});

describe("the life of an event", () => {
  const at = (s: number) => new Date(NOW + s * 1000).toISOString();

  test("says how it came in, each state since, and when the next try is", () => {
    const steps = lifeOf(
      wholeEvent({
        state: "failed",
        created: at(-2),
        received_at: at(0),
        due_at: at(60),
        history: [
          { at: at(0), state: "pending", reason: null, by: null, attempts: 0 },
          {
            at: at(1),
            state: "failed",
            reason: "Stripe gave no answer that counts: timeout",
            by: null,
            attempts: 3,
          },
        ],
      }),
      NOW,
    );
    expect(steps.map(({ title }) => title)).toEqual([
      "Made by Stripe",
      "Received by the endpoint “main”",
      "Could not be applied",
      "Next try",
    ]);
    expect(steps[2]?.attempts).toBe(3);
    expect(steps[3]?.at).toBe(at(60));
  });

  test("says who replayed it and why, and who closed it in which words", () => {
    const history = [
      { at: at(0), state: "pending", reason: null, by: null, attempts: 0 },
      { at: at(1), state: "dead", reason: "Stripe refused: no", by: null, attempts: 12 },
      { at: at(2), state: "pending", reason: "key mended", by: "anna@example.com", attempts: 0 },
      { at: at(3), state: "dead", reason: "Stripe refused: no", by: null, attempts: 12 },
      {
        at: at(4),
        state: "ignored",
        reason: "discarded: a test of mine",
        by: "ben@example.com",
        attempts: 0,
      },
    ] as const;
    const steps = lifeOf(wholeEvent({ state: "ignored", history: [...history] }), NOW);
    expect(steps.slice(3).map(({ title, text, by }) => [title, text, by])).toEqual([
      ["Replayed", "“key mended”", "anna@example.com"],
      ["Given up: its tries are used up", "Stripe refused: no.", null],
      ["Closed without being applied", "“a test of mine”", "ben@example.com"],
    ]);
  });

  test("of one that was set aside at once tells both, and of a fetched one that no delivery brought it", () => {
    const steps = lifeOf(
      wholeEvent({
        created: null,
        source: "reconcile",
        history: [{ at: at(0), state: "quarantined", reason: "the body: odd", by: null, attempts: 0 }],
      }),
      NOW,
    );
    expect(steps.map(({ title }) => title)).toEqual([
      "Fetched from Stripe, as no delivery had brought it",
      "Set aside: it cannot be applied as it is",
    ]);
  });

  test("puts codes of ignored events into words, and nobody else's", () => {
    expect(reasonOf({ state: "ignored", reason: "filter" })).toBe("The settings ignore events of this type.");
    const why = "writing a record failed: unhandled error (AccessDeniedException)";
    expect(shortReason({ state: "dead", reason: why })).toBe("The database did not take it.");
    expect(shortReason({ state: "dead", reason: "filter" })).toBe("Filter.");
    expect(shortReason({ state: "ignored", reason: "filter" })).toBe(
      "The settings ignore events of this type.",
    );
    expect(reasonOf({ state: "dead", reason: "filter" })).toBe("Filter.");
    expect(reasonOf({ state: "ignored", reason: "constructor" })).toBe("Constructor.");
    expect(reasonOf({ state: "processed", reason: "erased" })).toContain("was erased");
    expect(reasonOf({ state: "processed", reason: "order_uncertain: no order" })).toBe("No order.");
  });
});

describe("what changed", () => {
  const payload = {
    data: {
      object: {
        currency: "jpy",
        amount_due: 9007199254740993n,
        plan: { name: "b", id: 1 },
        tags: [2],
        period_end: 1_796_000_000,
      },
      previous_attributes: {
        amount_due: 500,
        plan: { name: "a" },
        tags: [1],
        period_end: 1_790_000_000,
        gone: "x",
      },
    },
  };

  test("is member by member, before and after, lists as wholes", () => {
    expect(changesOf(payload).map(({ field }) => field)).toEqual([
      "amount_due",
      "plan.name",
      "tags",
      "period_end",
      "gone",
    ]);
    expect(changesOf(payload)[1]).toEqual({ field: "plan.name", before: "a", after: "b" });
    expect(changesOf(payload)[4]?.after).toBeUndefined();
    expect(changesOf({ data: { object: {} } })).toEqual([]);
    expect(changesOf("no JSON")).toEqual([]);
  });

  test("shows sums in their currency to the last digit, and times as times", () => {
    expect(shownValue("amount_due", 9007199254740993n, "jpy")).toBe("¥9,007,199,254,740,993");
    expect(shownValue("amount_due", 500, undefined)).toBe("500");
    expect(shownValue("period_end", 1_796_000_000, "jpy")).toContain("2026");
    expect(shownValue("count", 9007199254740993n, "jpy")).toBe("9007199254740993");
  });
});
