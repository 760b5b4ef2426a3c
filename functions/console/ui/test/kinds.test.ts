// @vitest-environment node
// The words of the kinds: each row of the functions' table has a name for one and many, says what it is, and what
// the Stripe key has to be allowed for it.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { KEY_RIGHTS } from "../src/parts/webhook/key-rights.ts";
import { words } from "../src/words/words.ts";

const FOLDER = "../../shared/src/kind";
const rows = readdirSync(FOLDER)
  .map((file) => readFileSync(`${FOLDER}/${file}`, "utf8"))
  .join("\n");
const kinds = [...rows.matchAll(/KindRow::new\(\s*"[a-z_.]+",\s*"([a-z_]+)"/g)].map(([, kind]) => kind ?? "");

test("each kind is named, and told what it is", () => {
  expect(kinds.length).toBeGreaterThan(30);
  expect(kinds.filter((kind) => !words.states.kinds[kind])).toEqual([]);
  expect(kinds.filter((kind) => !words.records.kinds.what[kind])).toEqual([]);
});

test("a key that the page asks for may read each kind", () => {
  const needed = new Set(
    [...rows.matchAll(/permission: Some\("([a-z_]+)"\)/g)].map(([, name]) => name ?? ""),
  );
  const asked = new Set<string>(KEY_RIGHTS.map(({ permission }) => permission));
  expect([...needed].filter((name) => !asked.has(name))).toEqual([]);
});
