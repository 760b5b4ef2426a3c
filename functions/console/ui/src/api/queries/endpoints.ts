// Webhook endpoints at Stripe and their signing secrets.
import { queryOptions } from "@tanstack/svelte-query";
import { call } from "../call.ts";
import type { Endpoint, EndpointChange, NewEndpoint } from "../types.ts";

/** All endpoints; there are few, so their pages are read one after the other. */
export const endpointsQuery = () =>
  queryOptions({
    queryKey: ["endpoints"],
    queryFn: async ({ signal }) => {
      const all: Endpoint[] = [];
      let cursor: string | undefined;
      do {
        const page = await call("get", "/endpoints", { query: { limit: 100, cursor }, signal });
        all.push(...page.data);
        cursor = page.next_cursor ?? undefined;
      } while (cursor);
      return all;
    },
  });

export const endpointQuery = (name: string) =>
  queryOptions({
    queryKey: ["endpoints", name],
    queryFn: ({ signal }) => call("get", "/endpoints/{name}", { path: { name }, signal }),
  });

/** Shows the signing secrets. No query: a look at them is audited, and they are kept nowhere. */
export const showSecrets = (name: string) => call("get", "/endpoints/{name}/secret", { path: { name } });

export const registerEndpoint = (wanted: NewEndpoint) => call("post", "/endpoints", { body: wanted });

export const changeEndpoint = (name: string, change: EndpointChange) =>
  call("patch", "/endpoints/{name}", { path: { name }, body: change });

/** Removes an endpoint; `confirm` is its name as the person typed it. */
export const deregisterEndpoint = (name: string, confirm: string) =>
  call("delete", "/endpoints/{name}", { path: { name }, query: { confirm } });

export const testEndpoint = (name: string) =>
  call("post", "/endpoints/{name}/test", { path: { name }, body: {} });

export const repairEndpoint = (name: string) =>
  call("post", "/endpoints/{name}/repair", { path: { name }, body: {} });

/** Gives an endpoint a new signing secret; `at_once` ends the old one without waiting. */
export const rotateEndpoint = (name: string, how: { at_once?: boolean; api_version?: string } = {}) =>
  call("post", "/endpoints/{name}/rotate", { path: { name }, body: how });

export const giveUpRotation = (name: string) =>
  call("delete", "/endpoints/{name}/rotate", { path: { name } });
