// The one way to the API: a typed request with the token, an answer as exact JSON, or a `Problem`.
// (A client library would do the same but parse numbers by itself, and round them.)
import { session } from "../session/current.ts";
import { beside } from "../session/here.ts";
import { parseJson, writeJson } from "./json.ts";
import { Problem, problemOf } from "./problem.ts";
import type { paths } from "./types.gen.ts";
import { watchRequest } from "./waiting.svelte.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete";
type Of<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;
type Json<T> = T extends { content: { "application/json": infer J } } ? J : undefined;
type Answers<T> = T extends { responses: infer R } ? R : never;

/** What an operation answers when it is done. */
export type Answer<P extends keyof paths, M extends Method> = {
  [S in keyof Answers<Of<P, M>>]: S extends 200 | 201 | 202 | 204 ? Json<Answers<Of<P, M>>[S]> : never;
}[keyof Answers<Of<P, M>>];

type In<T, K extends string> = T extends { parameters: infer A }
  ? K extends keyof A
    ? NonNullable<A[K]>
    : never
  : never;
type BodyOf<T> = T extends { requestBody?: infer B } ? Json<NonNullable<B>> : never;

/** What an operation is asked with. */
export interface Asked<P extends keyof paths, M extends Method> {
  path?: In<Of<P, M>, "path">;
  query?: In<Of<P, M>, "query">;
  body?: BodyOf<Of<P, M>>;
  signal?: AbortSignal;
}

/** API Gateway gives up after 30 s; a little later nothing can come any more. */
const LONGEST_MS = 35_000;

/** Sends a request of the API's contract. */
export function call<P extends keyof paths, M extends Method>(
  method: M,
  path: P,
  asked: Asked<P, M> = {},
): Promise<Answer<P, M>> {
  return send(method, fill(path, asked.path), asked) as Promise<Answer<P, M>>;
}

interface AnyAsked {
  query?: object;
  body?: unknown;
  signal?: AbortSignal;
}

/** Sends any request; `call` is its typed form. */
export const send = (method: Method, path: string, asked: AnyAsked): Promise<unknown> =>
  exchange(method, path, asked, {}, read);

/** A page of a list as CSV, and where the next one begins. */
export interface CsvPage {
  text: string;
  next_cursor: string | null;
}

/** Asks for a list as CSV. */
export const sendForCsv = (path: string, asked: AnyAsked): Promise<CsvPage> =>
  exchange("get", path, asked, { Accept: CSV }, async (response, token) => {
    if (!response.ok || !response.headers.get("Content-Type")?.startsWith(CSV)) {
      await read(response, token);
      throw new Problem("not_understood", "", { status: response.status });
    }
    return { text: await response.text(), next_cursor: nextCursor(response.headers.get("Link")) };
  });

const CSV = "text/csv";

/** The cursor of a `Link` header (RFC 8288). Of its address nothing else is used: the token goes nowhere else. */
function nextCursor(link: string | null): string | null {
  const [, address] = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? "") ?? [];
  return address === undefined ? null : new URL(address, document.baseURI).searchParams.get("cursor");
}

async function exchange<T>(
  method: Method,
  path: string,
  asked: AnyAsked,
  headers: Record<string, string>,
  understand: (response: Response, token: string) => Promise<T>,
): Promise<T> {
  const token = session().token;
  if (!token) throw new Problem("unauthenticated", "");
  const url = beside(path);
  for (const [name, value] of Object.entries(asked.query ?? {})) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, String(value));
  }
  const timeout = AbortSignal.timeout(LONGEST_MS);
  const done = watchRequest();
  try {
    const response = await fetch(url, {
      method: method.toUpperCase(),
      headers: {
        ...headers,
        Authorization: `Bearer ${token}`,
        ...(asked.body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: asked.body === undefined ? undefined : writeJson(asked.body),
      signal: asked.signal ? AbortSignal.any([asked.signal, timeout]) : timeout,
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
    });
    return await understand(response, token);
  } catch (cause) {
    if (cause instanceof Problem || asked.signal?.aborted) throw cause;
    throw new Problem(timeout.aborted ? "slow" : "network", "", { cause });
  } finally {
    done();
  }
}

async function read(response: Response, token: string): Promise<unknown> {
  const text = await response.text();
  const body = parsed(text);
  if (response.ok) {
    if (response.status === 204) return undefined;
    if (body !== undefined) return body;
    throw new Problem("not_understood", "", { status: response.status });
  }
  // An answer to an older token says nothing of the one that has come since.
  if (response.status === 401 && session().token === token) session().end();
  throw problemOf(response, body);
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** Puts the parts of a path in; ids can hold any character. */
function fill(path: string, parts: object = {}): string {
  const known = parts as Record<string, unknown>;
  return path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(String(known[name])));
}
