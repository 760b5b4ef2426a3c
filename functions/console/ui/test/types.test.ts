// @vitest-environment node
// The types of the API: written only when the contract has changed, so that nothing is built anew in vain.
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { expect, test } from "vitest";

test("types that are as the contract has them are left alone", () => {
  const written = () => statSync("src/api/types.gen.ts").mtimeMs;
  execFileSync(process.execPath, ["types.mjs"]);
  const before = written();
  execFileSync(process.execPath, ["types.mjs"]);
  expect(written()).toBe(before);
}, 30_000);
