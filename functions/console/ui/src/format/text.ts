// Texts of others: their length, and what they hold that cannot be seen. And words of an API as people write them.
import { words } from "../words/words.ts";

/** How much of a long text is shown until somebody asks for all of it. */
export const LONG = 300;

/** The beginning of a text, not cut within a character; null where it is short enough. */
export function cut(text: string, length: number = LONG): string | null {
  if (text.length <= length) return null;
  const end = isLead(text.charCodeAt(length - 1)) ? length - 1 : length;
  return text.slice(0, end);
}

function isLead(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

// Controls that change the direction of what follows, or that nobody can see. Joiners stay: scripts need them.
const UNSEEN = /(?![\t\n\r])[\p{Cc}\p{Bidi_Control}\u200b\u2060\ufeff]/gu;

/** The text with each control that turns directions or is invisible written out, such as `\u202e`. */
export function seen(text: string): string {
  return text.replace(UNSEEN, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Words with underscores as people write them: `past_due` → "Past due". */
export function plain(word: string): string {
  const text = word.replaceAll("_", " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Several names as people write them one after the other. */
export function list(names: readonly string[], joined: "and" | "or" = "and"): string {
  const type = joined === "and" ? "conjunction" : "disjunction";
  return new Intl.ListFormat(words.language, { type }).format(names);
}

/** A fragment, as the API's messages are, as a sentence. A first word that is a name or a code stays as it is. */
export function sentence(fragment: string): string {
  const text = fragment.trim();
  const begins = /^\p{Ll}+(?=[\s,;:'’]|$)/u.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return begins === "" || /[.!?…]$/.test(begins) ? begins : `${begins}.`;
}

/** The member of an object at a dotted path, such as `billing_details.email`. */
export function member(object: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, name) => {
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }, object);
}
