// What can be said of a Stripe key while it is typed. The API decides; this only warns before it is asked.
import type { Mode } from "../../api/types.ts";

export type KeyWarning = "publishable" | "signing_secret" | "other_mode" | "not_a_key" | "unrestricted";

const KEY = /^[sr]k_(test|live)_\w+$/;
const BEGINNINGS = ["sk_test_", "sk_live_", "rk_test_", "rk_live_"];

/** What is wrong with a key, or worth a thought. Nothing is said of what is still being typed. */
export function keyWarnings(typed: string, mode: Mode): KeyWarning[] {
  const key = typed.trim();
  if (key.startsWith("pk_")) return ["publishable"];
  if (key.startsWith("whsec_")) return ["signing_secret"];
  if (BEGINNINGS.some((beginning) => beginning.startsWith(key))) return [];
  const [, of] = KEY.exec(key) ?? [];
  if (!of) return ["not_a_key"];
  const warnings: KeyWarning[] = [];
  if (of !== mode) warnings.push("other_mode");
  if (key.startsWith("sk_")) warnings.push("unrestricted");
  return warnings;
}
