// Signing in again without leaving the page: a second window of the same page does it and hands over the token.
// The two talk by a channel of their origin, under a name that only they know: the provider's page cuts the
// windows' other ties (Cross-Origin-Opener-Policy).
import { here } from "./here.ts";

const MARK = "#sign-in-for=";

/** The channel's name of one renewal. */
function channelOf(renewal: string): string {
  return `billhook.renewal.${renewal}`;
}

/** Opens the second window. Null where the browser blocks it. `taken` gets each token that comes. */
export function openRenewal(taken: (token: string) => void): { close: () => void } | null {
  const renewal = crypto.randomUUID();
  const channel = new BroadcastChannel(channelOf(renewal));
  channel.onmessage = (message: MessageEvent<unknown>) => {
    if (typeof message.data === "string") taken(message.data);
  };
  const opened = window.open(new URL(MARK + renewal, here()), "", "popup,width=480,height=720");
  if (!opened) {
    channel.close();
    return null;
  }
  return { close: () => channel.close() };
}

/** The renewal that this window was opened for; null in any other. */
export function renewalOf(hash: string): string | null {
  return hash.startsWith(MARK) ? hash.slice(MARK.length) : null;
}

/** Hands the token to the window that waits for it, and closes this one where the browser allows. */
export function handOver(renewal: string, token: string): void {
  const channel = new BroadcastChannel(channelOf(renewal));
  channel.postMessage(token);
  channel.close();
  window.close();
}
