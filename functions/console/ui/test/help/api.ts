// An API that answers by path, for pages that ask for several things at once.
import { vi } from "vitest";
import { kinds, status } from "./samples.ts";
import { json } from "./session.ts";

export interface Asked {
  method: string;
  /** From the first part on, such as `events/evt_1`. */
  path: string;
  query: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of a body
  body: any;
}

type Answer = (asked: Asked) => unknown;

/** Answers each request by the first line whose `METHOD path` it begins with; gives all that was asked. */
export function api(lines: Record<string, Answer>): Asked[] {
  const all: Asked[] = [];
  const usual: Record<string, Answer> = {
    "GET status": () => status,
    "GET endpoints": () => ({ data: [], next_cursor: null }),
    "GET records/": () => ({ data: [], next_cursor: null }),
    "GET records": () => kinds,
    "GET events": () => ({ data: [], next_cursor: null }),
  };
  vi.stubGlobal("fetch", async (input: string | URL, init?: RequestInit) => {
    const url = new URL(String(input));
    const asked: Asked = {
      method: init?.method ?? "GET",
      path: decodeURIComponent(url.pathname.replace("/billhook/", "")),
      query: Object.fromEntries(url.searchParams),
      body: typeof init?.body === "string" ? JSON.parse(init.body) : undefined,
    };
    all.push(asked);
    const line = `${asked.method} ${asked.path}`;
    const answer = [...Object.entries(lines), ...Object.entries(usual)].find(([begins]) =>
      line.startsWith(begins),
    )?.[1];
    const body = await (answer ?? (() => json({ message: "Not Found" }, 404)))(asked);
    return body instanceof Response ? body : json(body);
  });
  return all;
}
