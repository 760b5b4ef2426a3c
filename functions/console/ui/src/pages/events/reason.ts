// Why an event is in its state, in words.
import { sentence } from "../../format/text.ts";
import { words } from "../../words/words.ts";

/** The reason as a sentence; of an ignored event what its code means, or an admin's own words. */
export function reasonOf({ state, reason }: { state: string; reason: string | null }): string | null {
  if (reason === null || reason.trim() === "") return null;
  if (state !== "ignored") return sentence(reason);
  const [code = "", ...rest] = reason.split(":");
  const own = rest.join(":").trim();
  if (code === "discarded") return own ? words.events.life.saying(own) : null;
  const { ignoredBecause } = words.states;
  return (Object.hasOwn(ignoredBecause, code) ? ignoredBecause[code] : undefined) ?? sentence(reason);
}
