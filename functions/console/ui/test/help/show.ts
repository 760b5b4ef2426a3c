// Shows a part in a test.
import { render } from "@testing-library/svelte";
import { type Component, createRawSnippet } from "svelte";
import { makeQueryClient } from "../../src/api/query-client.ts";
import Show from "./show.svelte";

// biome-ignore lint/suspicious/noExplicitAny: any part can be shown
export function show(part: Component<any>, props: Record<string, unknown> = {}) {
  return render(Show, { props: { client: makeQueryClient(), part, given: props } });
}

/** A piece of text as content. */
export function text(content: string) {
  return createRawSnippet(() => ({ render: () => `<span>${content}</span>` }));
}
