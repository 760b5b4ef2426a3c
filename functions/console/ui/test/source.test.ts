// What the sources keep to, beyond what the linter sees.
import { expect, test } from "vitest";

const sources = import.meta.glob<string>("../src/**/*.{svelte,ts}", {
  query: "?raw",
  import: "default",
  eager: true,
});
const own = Object.entries(sources).filter(([name]) => !name.endsWith("types.gen.ts"));

test("nothing is put into the page as HTML, and nothing lasts in the browser", () => {
  for (const [name, source] of own) {
    expect(source, name).not.toMatch(/\{@html|innerHTML|insertAdjacentHTML|document\.write/);
    expect(source, name).not.toMatch(/\blocalStorage\b|document\.cookie|indexedDB/);
  }
});

test("every file begins by saying what it holds, and is short", () => {
  for (const [name, source] of own) {
    expect(source, name).toMatch(/^(\/\/ |\/\* |<!-- )\p{Lu}/u);
    expect(source.split("\n").length, name).toBeLessThanOrEqual(320);
  }
});

test("no style stands in an element's text, which the page's policy refuses", () => {
  for (const [name, source] of own) expect(source, name).not.toMatch(/\sstyle="/);
});
