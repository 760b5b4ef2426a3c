// How a state looks: a colour and a sign, always beside its word.
import type { IconName } from "./icon.svelte";

export type Tone = "good" | "calm" | "waiting" | "warn" | "bad" | "unknown";

export const signs: Record<Tone, IconName> = {
  good: "check",
  calm: "stop",
  waiting: "clock",
  warn: "warn",
  bad: "cross",
  unknown: "question",
};
