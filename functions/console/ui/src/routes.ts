// Which address shows which page. Each page is a chunk of its own, loaded when it is first shown.
import wrap, { type AsyncSvelteComponent } from "svelte-spa-router/wrap";
import NotFound from "./pages/not-found.svelte";
import Outdated from "./shell/outdated.svelte";

/** Turns a page's file into a route. A new release has other files: then only a reload helps. */
const page = (load: () => Promise<{ default: unknown }>) =>
  wrap({
    asyncComponent: () => load().catch(() => ({ default: Outdated })) as ReturnType<AsyncSvelteComponent>,
  });

export const routes = {
  "/": page(() => import("./pages/overview/overview.svelte")),
  "/attention": page(() => import("./pages/attention/attention.svelte")),
  "/records": page(() => import("./pages/records/records.svelte")),
  "/records/:kind": page(() => import("./pages/records/kind.svelte")),
  "/records/:kind/:id": page(() => import("./pages/records/record.svelte")),
  "/events": page(() => import("./pages/events/events.svelte")),
  "/events/:id": page(() => import("./pages/events/event.svelte")),
  "/settings/stripe": page(() => import("./pages/stripe/stripe.svelte")),
  "/settings/endpoints": page(() => import("./pages/endpoints/endpoints.svelte")),
  "/settings/endpoints/:name": page(() => import("./pages/endpoints/endpoint.svelte")),
  "/setup": page(() => import("./pages/setup/setup.svelte")),
  "/audit": page(() => import("./pages/audit/audit.svelte")),
  "*": NotFound,
};
