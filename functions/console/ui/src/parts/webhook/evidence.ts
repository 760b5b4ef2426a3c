// The evidence of a check as names and values that can be read. What is not known to this page is shown as well,
// by its own name: a later release may see more.
import { isInteger, money } from "../../format/money.ts";
import { plain } from "../../format/text.ts";
import { weekday } from "../../format/time.ts";
import { words } from "../../words/words.ts";

export type Shown =
  | { as: "text"; text: string; mono?: boolean }
  | { as: "time"; at: string }
  | { as: "id"; id: string; account?: string }
  | { as: "list"; items: Shown[] }
  | { as: "members"; members: Member[] };

export interface Member {
  name: string;
  label: string;
  value: Shown;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const ID = /^[a-z]{2,5}_[A-Za-z0-9_]{4,}$/;
const SECONDS = /(^|_)seconds(_|$)|_s$/;

const own = <T>(table: Partial<Record<string, T>>, name: string) =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** What is said of a check, member by member; what holds nothing is left out. */
export function members(evidence: object): Member[] {
  return Object.entries(evidence)
    .filter(([, value]) => !isNothing(value))
    .map(([name, value]) => ({
      name,
      label: own(words.stripe.evidence.members, name) ?? plain(name),
      value: shown(name, value, evidence as Record<string, unknown>),
    }));
}

/** Members that are sums, where a currency stands beside them. */
const SUMS = ["amount", "difference"];

function isNothing(value: unknown): boolean {
  return (
    value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0)
  );
}

/** How a value is shown; what stands beside it tells what it is of. */
function shown(name: string, value: unknown, beside: Record<string, unknown> = {}): Shown {
  const said = words.stripe.evidence;
  const { currency, account } = beside;
  if (Array.isArray(value)) return { as: "list", items: value.map((item) => shown(name, item)) };
  if (SUMS.includes(name) && isInteger(value) && typeof currency === "string")
    return { as: "text", text: money(value, currency) };
  if (typeof value === "object" && value !== null) return { as: "members", members: members(value) };
  if (typeof value === "boolean") return { as: "text", text: value ? said.yes : said.no };
  if (typeof value === "number" || typeof value === "bigint") {
    return { as: "text", text: SECONDS.test(name) ? words.time.units.seconds(Number(value)) : String(value) };
  }
  const text = String(value);
  if (TIME.test(text) && name === "arrival_date") return { as: "text", text: weekday(text) };
  if (TIME.test(text)) return { as: "time", at: text };
  const word = own(own(said.values, name) ?? {}, text);
  if (word) return { as: "text", text: word };
  if (ID.test(text) && name !== "hint" && name !== "code" && !name.startsWith("stripe_req"))
    return { as: "id", id: text, ...(typeof account === "string" ? { account } : {}) };
  return { as: "text", text, mono: ["url", "hint", "secret", "stripe_request"].includes(name) };
}
