// All event types of Stripe, from the list that the functions are built with. To be loaded where somebody chooses.
import list from "../../../../shared/src/event_types.txt?raw";

export const stripeEventTypes: readonly string[] = list
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => /^[a-z]/.test(line));
