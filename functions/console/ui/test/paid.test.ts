// What a customer paid this month: a sum of a part is never shown as the whole.
import { screen } from "@testing-library/svelte";
import { beforeEach, expect, test } from "vitest";
import Paid from "../src/pages/records/paid.svelte";
import { type Asked, api } from "./help/api.ts";
import { payment, record } from "./help/records.ts";
import { json, signedIn } from "./help/session.ts";
import { show } from "./help/show.ts";

beforeEach(async () => {
  await signedIn();
});

const made = Math.floor(Date.now() / 1000);
const one = (id: string) => payment({ id, object: { created: made } });
const given = { customer: record("customers"), kind: undefined };

test("sums are so far while there is more, also when the next page cannot be read", async () => {
  api({
    "GET records/payments": ({ query }: Asked) =>
      query.cursor ? json({ message: "no" }, 403) : { data: [one("pi_1")], next_cursor: "next" },
  });
  show(Paid, given);
  expect(await screen.findByText("so far")).toBeTruthy();
  expect(await screen.findByText(/You may not do this/)).toBeTruthy();
  expect(screen.getByText("so far")).toBeTruthy();
});

test("sums of all that there is are whole", async () => {
  api({
    "GET records/payments": ({ query }: Asked) =>
      query.cursor
        ? { data: [one("pi_2")], next_cursor: null }
        : { data: [one("pi_1")], next_cursor: "next" },
  });
  const { container } = show(Paid, given);
  await expect.poll(() => container.textContent).toContain("€50.00");
  expect(screen.queryByText("so far")).toBeNull();
});

test("nothing is said to be paid only when all was read", async () => {
  api({
    "GET records/payments": ({ query }: Asked) =>
      query.cursor ? json({ message: "no" }, 403) : { data: [], next_cursor: "next" },
  });
  show(Paid, given);
  expect(await screen.findByText("Nothing found so far.")).toBeTruthy();
});
