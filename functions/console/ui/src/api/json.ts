// JSON whose integers stay exact. A number of JavaScript is exact up to 2^53; `JSON.parse` rounds larger ones
// without a word. Here they become a `bigint`. Before parsing, their digits are put into a text with a mark that
// no answer can know, so this works alike in every browser, whether or not it tells a reviver the source.

const INTEGER_OR_TEXT = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MAY_BE_LARGE = /\d{16}/;

/** Parses JSON; integers beyond 2^53 are `bigint`, all else is as `JSON.parse` gives it. */
export function parseJson(text: string): unknown {
  if (!MAY_BE_LARGE.test(text)) return JSON.parse(text);
  const mark = `${crypto.randomUUID()}:`;
  const marked = text.replace(INTEGER_OR_TEXT, (token) =>
    /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${mark}${token}"` : token,
  );
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  );
}

/** Writes JSON, with each `bigint` as the integer that it is. */
export function writeJson(value: unknown, indent?: number): string {
  const mark = `${crypto.randomUUID()}:`;
  const text = JSON.stringify(
    value,
    (_key, member: unknown) => (typeof member === "bigint" ? mark + member : member),
    indent,
  );
  return text.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, "g"), "$1");
}
