// Money: what Stripe counts is what people read, to the last digit.
import { describe, expect, test } from "vitest";
import { decimalsOf, money, plainAmount } from "../src/format/money.ts";

describe("a sum is shown in its currency", () => {
  test.each([
    [1250, "usd", "$12.50"],
    [5, "usd", "$0.05"],
    [0, "eur", "€0.00"],
    [500, "jpy", "¥500"],
    [500, "krw", "₩500"],
    [1234567, "kwd", "KWD 1,234.567"],
    [5, "bhd", "BHD 0.005"],
    [100, "mga", "MGA 100"],
  ])("%i %s is %s", (amount, currency, text) => {
    expect(money(amount, currency, "en").replaceAll("\u00a0", " ")).toBe(text);
  });

  test("a sum below zero keeps its sign, and its digits", () => {
    expect(money(-1250, "usd", "en")).toBe("-$12.50");
    expect(plainAmount(-5, "usd")).toBe("-0.05");
    expect(plainAmount(-500, "jpy")).toBe("-500");
  });

  test("sums beyond 2^53 lose nothing", () => {
    expect(money(9007199254740993n, "usd", "en")).toBe("$90,071,992,547,409.93");
    expect(money(123456789012345678901n, "jpy", "en")).toBe("¥123,456,789,012,345,678,901");
    expect(plainAmount(-9007199254740993n, "tnd")).toBe("-9007199254740.993");
  });

  test("króna and Ugandan shilling are counted in hundredths and have none", () => {
    expect(money(500, "isk", "en").replaceAll("\u00a0", " ")).toBe("ISK 5");
    expect(money(500, "ugx", "en").replaceAll("\u00a0", " ")).toBe("UGX 5");
    expect(money(501, "isk", "en").replaceAll("\u00a0", " ")).toBe("ISK 5.01");
    expect(plainAmount(500, "ugx")).toBe("5.00");
  });

  test("forint and Taiwan dollar have two decimals, but for payouts", () => {
    expect(decimalsOf("huf")).toBe(2);
    expect(money(80045, "twd", "en")).toBe("NT$800.45");
  });

  test("of an unknown currency nothing is guessed", () => {
    expect(money(1250, "zzz", "en")).toBe("1250 ZZZ");
    expect(money(12345678901234567890n, "points", "en")).toBe("12345678901234567890 POINTS");
  });
});
