// Why an event is in its state, in words.
import { sentence } from "../../format/text.ts";
import { causeTitle } from "../../parts/causes.ts";
import { words } from "../../words/words.ts";

/** Why an event waits, in a line: in the words of its cause, and where that is not known in its own. */
export function shortReason(event: { state: string; reason: string | null }): string | null {
  const waits = event.state !== "ignored" && event.state !== "processed" && event.state !== "superseded";
  const title = waits ? causeTitle(event.reason) : null;
  return title ? sentence(title) : reasonOf(event);
}

/** The reason as a sentence; a code as what it means, or as the admin's own words. */
export function reasonOf({ state, reason }: { state: string; reason: string | null }): string | null {
  if (reason === null || reason.trim() === "") return null;
  const [code = "", ...rest] = reason.split(":");
  const own = rest.join(":").trim();
  if (code === "order_uncertain" && own) return sentence(own);
  // An erasure takes the place of any reason.
  if (state !== "ignored" && code !== "erased") return sentence(reason);
  if (code === "discarded") return own ? words.events.life.saying(own) : null;
  const { ignoredBecause } = words.states;
  return (Object.hasOwn(ignoredBecause, code) ? ignoredBecause[code] : undefined) ?? sentence(reason);
}
