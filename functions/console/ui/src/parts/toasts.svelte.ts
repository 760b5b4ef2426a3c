// Short messages about what was just done. They are read out; what needs an answer is never one of them.

export interface Toast {
  id: number;
  text: string;
  tone: "good" | "bad";
}

/** How long a message stays; one that tells of a failure stays until it is closed. */
const SHOWN_MS = 7_000;
let last = 0;
let shown = $state<Toast[]>([]);

/** The messages that are shown. */
export function toasts(): readonly Toast[] {
  return shown;
}

/** Says something. */
export function say(text: string, tone: Toast["tone"] = "good"): void {
  last += 1;
  const id = last;
  shown = [...shown.slice(-3), { id, text, tone }];
  if (tone === "good") setTimeout(() => dismiss(id), SHOWN_MS);
}

/** Takes a message away. */
export function dismiss(id: number): void {
  shown = shown.filter((toast) => toast.id !== id);
}
