// Sums as text. They come as integers of the currency's smallest unit, as Stripe counts it, and are never made
// into a float: digits are cut apart as text, and `Intl` formats them as text.
import type { Integer } from "../api/types.ts";
import { words } from "../words/words.ts";

/** Currencies whose amounts at Stripe have no decimals. */
const NONE = new Set("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(" "));
/** Currencies whose amounts at Stripe have three. */
const THREE = new Set("BHD JOD KWD OMR TND".split(" "));
/** Currencies without decimals that Stripe counts in hundredths all the same: 500 are 5. */
const WHOLE_IN_HUNDREDTHS = new Set(["ISK", "UGX"]);

const CURRENCIES = new Set(Intl.supportedValuesOf("currency"));

/** How many decimals an amount of a currency has at Stripe. */
export function decimalsOf(currency: string): number {
  const code = currency.toUpperCase();
  if (NONE.has(code)) return 0;
  return THREE.has(code) ? 3 : 2;
}

/** The amount as a plain decimal number, such as `-12.50`: for exports, and for `Intl`. */
export function plainAmount(amount: Integer, currency: string): string {
  const decimals = decimalsOf(currency);
  const digits = BigInt(amount).toString();
  const sign = digits.startsWith("-") ? "-" : "";
  const padded = digits.slice(sign.length).padStart(decimals + 1, "0");
  if (decimals === 0) return sign + padded;
  return `${sign}${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`;
}

/** The amount with its currency as people write it; of an unknown currency the integer and its code. */
export function money(amount: Integer, currency: string, locale: string = words.language): string {
  const code = currency.toUpperCase();
  if (!CURRENCIES.has(code)) return `${BigInt(amount)} ${code}`;
  const text = plainAmount(amount, code);
  const whole = WHOLE_IN_HUNDREDTHS.has(code) && text.endsWith(".00");
  const decimals = whole ? 0 : decimalsOf(code);
  const format = new Intl.NumberFormat(locale, {
    style: "currency",
    currency: code,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return format.format(text as Intl.StringNumericLiteral);
}

/** A fee as what it takes away: gross and this make net. */
export function takenAway(fee: Integer | null): bigint | null {
  return fee === null ? null : -BigInt(fee);
}

/** Whether a value is an integer of the API. */
export function isInteger(value: unknown): value is Integer {
  return typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value));
}
