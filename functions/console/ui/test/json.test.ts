// JSON: integers stay exact, and nothing else changes.
import { expect, test } from "vitest";
import { parseJson, writeJson } from "../src/api/json.ts";

test("integers beyond 2^53 are exact", () => {
  expect(parseJson('{"amount":9007199254740993,"small":12}')).toEqual({
    amount: 9007199254740993n,
    small: 12,
  });
  expect(parseJson("[-9007199254740993, 9007199254740991]")).toEqual([-9007199254740993n, 9007199254740991]);
  expect(parseJson("123456789012345678901234567890")).toBe(123456789012345678901234567890n);
});

test("digits in texts, fractions and powers are what JSON.parse makes of them", () => {
  const text =
    '{"id":"9007199254740993","quoted":"a\\"9007199254740993\\\\","f":1.2345678901234567,"e":1e21,"n":null}';
  expect(parseJson(text)).toEqual(JSON.parse(text));
  expect(parseJson('{"9007199254740993":1}')).toEqual({ "9007199254740993": 1 });
});

test("a text that is no JSON is refused as ever", () => {
  expect(() => parseJson("<h1>9007199254740993</h1>")).toThrow(SyntaxError);
  expect(() => parseJson("")).toThrow(SyntaxError);
});

test("what was read is written again, digit by digit", () => {
  const text = '{"amount":9007199254740993,"of":[1,"9007199254740993",-123456789012345678901]}';
  expect(writeJson(parseJson(text))).toBe(text);
});

test("a long text with many quotes and backslashes does no harm", () => {
  const payload = { text: '\\"'.repeat(200_000), n: "1".repeat(100_000) };
  expect(parseJson(JSON.stringify(payload))).toEqual(payload);
});
