// @vitest-environment node
// The words of the kinds, and what the Stripe key has to be allowed for each row of the functions' table.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { KEY_RIGHTS, rowOf } from "../src/parts/webhook/key-rights.ts";
import { words } from "../src/words/words.ts";

const FOLDER = "../../shared/src/kind";
const rows = readdirSync(FOLDER)
  .map((file) => readFileSync(`${FOLDER}/${file}`, "utf8"))
  .join("\n");
const kinds = [...rows.matchAll(/KindRow::new\(\s*"[a-z_.]+",\s*"([a-z_]+)"/g)].map(([, kind]) => kind ?? "");

test("the names and what is told of kinds are of kinds that there are", () => {
  expect(kinds.length).toBeGreaterThan(30);
  const are = (named: object) => Object.keys(named).filter((kind) => !kinds.includes(kind));
  expect(are(words.states.kinds)).toEqual([]);
  expect(are(words.records.kinds.what)).toEqual([]);
});

test("a key that the page asks for may read each kind, and each right is told in words", () => {
  const needed = [...rows.matchAll(/permission: Some\("([a-z_]+)"\)/g)].map(([, name]) => name ?? "");
  const asked = KEY_RIGHTS.map(({ permission }) => permission);
  expect(new Set(asked)).toEqual(new Set(["rak_webhook_write", "rak_event_read", ...needed]));
  expect(Object.keys(words.stripe.key.rows).filter((permission) => !asked.includes(permission))).toEqual([]);
});

test("a right of a kind that came later is named by what it reads", () => {
  expect(rowOf("rak_issuing_card_read")).toEqual({
    row: "Issuing card",
    level: "Read",
    why: "to import and compare: Issuing card",
    without: "Issuing card: those from before are not here, and none is compared with Stripe.",
  });
});
