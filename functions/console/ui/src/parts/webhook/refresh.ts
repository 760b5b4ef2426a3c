// After a change: what is shown of endpoints, settings, status and audit is asked for again.
import type { QueryClient } from "@tanstack/svelte-query";
import { call } from "../../api/call.ts";

/** Asks again for all that a change of the webhook can have changed. */
export function refreshWebhook(client: QueryClient): void {
  for (const queryKey of [["endpoints"], ["settings"], ["status"], ["audit"]]) {
    void client.invalidateQueries({ queryKey });
  }
}

/** Has Stripe asked now; every page shows what comes of it. */
export async function checkNow(client: QueryClient): Promise<void> {
  const status = await call("get", "/status", { query: { live: true } });
  await client.cancelQueries({ queryKey: ["status"], exact: true });
  client.setQueryData(["status"], status);
}

/** After a remedy: all is asked for again, and Stripe for the status; if it does not answer, the usual status comes. */
export function afterRemedy(client: QueryClient): void {
  refreshWebhook(client);
  void checkNow(client).catch(() => {});
}
