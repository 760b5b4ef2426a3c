// How the page is built: addresses relative to where it is served, hashed files, each with its Brotli twin.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/**
 * Writes `x.br` beside every text file, so that nothing is compressed while it is served. It reads what was
 * written: in `generateBundle` the addresses of lazy chunks may not stand in the code yet.
 */
function brotli(): Plugin {
  return {
    name: "brotli",
    apply: "build",
    writeBundle({ dir = "dist" }, bundle) {
      for (const name of Object.keys(bundle).filter((name) => /\.(js|css|html|svg)$/.test(name))) {
        const text = readFileSync(join(dir, name));
        const params = {
          [constants.BROTLI_PARAM_QUALITY]: 11,
          [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
        };
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(text, { params }));
      }
    },
  };
}

const EVENT_TYPES = "virtual:event-types";

/** Stripe's event types, and those that change a record, out of the sources of the functions. */
function eventTypes(): Plugin {
  return {
    name: "event-types",
    resolveId: (id) => (id === EVENT_TYPES ? `\0${EVENT_TYPES}` : null),
    load(id) {
      if (id !== `\0${EVENT_TYPES}`) return null;
      const shared = (name: string) =>
        readFileSync(join(import.meta.dirname, "../../shared/src", name), "utf8");
      const known = shared("event_types.txt").split("\n").filter(Boolean);
      const kinds = readdirSync(join(import.meta.dirname, "../../shared/src/kind"));
      const rows = kinds.map((file) => shared(`kind/${file}`)).join("\n");
      const types = [...rows.matchAll(/^\s*\("([a-z_.]+)", Effect::/gm)].map(([, type]) => type);
      const applied = known.filter((type) => types.includes(type));
      if (applied.length === 0) throw new Error("the table of kinds names no type that is applied");
      const made = { known, applied, readRights: readRights(rows) };
      return Object.entries(made)
        .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
        .join("\n");
    },
  };
}

/** What Stripe calls the right to read each kind, and the rights of the API's settings that it gives. */
function readRights(rows: string): { permission: string; gives: string[] }[] {
  const kinds = rows.matchAll(/: KindRow = KindRow \{([\s\S]*?)\.\.KindRow::new\(\s*"[^"]+",\s*"([a-z_]+)"/g);
  const gives = new Map<string, string[]>();
  for (const [, members = "", kind = ""] of kinds) {
    const permission = /permission: Some\("([a-z_]+)"\)/.exec(members)?.[1];
    if (permission) gives.set(permission, [...(gives.get(permission) ?? []), `read_${kind}`]);
  }
  return [...gives].map(([permission, rights]) => ({ permission, gives: rights }));
}

const FROM_THE_API = /^\/(status|settings|endpoints|events|records|reconcile|import|erasures|audit)([/?]|$)/;

/**
 * While developing: the API is that of the stack that `make up` started (or of another `stack.json`, named by
 * CONSOLE_STACK), and who is signed in is its admin, or its viewer with CONSOLE_AS=viewer.
 */
function localStack(): Plugin {
  return {
    name: "local-stack",
    apply: "serve",
    config() {
      const { api_url } = stack();
      const { origin, pathname } = new URL(api_url);
      const base = pathname.replace(/\/$/, "");
      const proxy = { target: origin, changeOrigin: true, rewrite: (path: string) => base + path };
      return { server: { proxy: { [FROM_THE_API.source]: proxy, "/config.json": proxy } } };
    },
    configureServer(server) {
      server.middlewares.use("/dev-token", (_request, response) => {
        const who = process.env.CONSOLE_AS === "viewer" ? "viewer" : "admin";
        response.end(stack()[who].token);
      });
    },
  };
}

interface Stack {
  api_url: string;
  admin: { token: string };
  viewer: { token: string };
}

function stack(): Stack {
  return JSON.parse(readFileSync(process.env.CONSOLE_STACK ?? "../../../.local/stack.json", "utf8")) as Stack;
}

export default defineConfig(({ mode }) => ({
  base: "./",
  plugins: [svelte(), eventTypes(), brotli(), mode === "test" ? svelteTesting() : localStack()],
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { host: "127.0.0.1", port: 5173 },
  test: {
    environment: "happy-dom",
    environmentOptions: { happyDOM: { url: "http://localhost/billhook/" } },
    include: ["test/**/*.test.ts"],
    restoreMocks: true,
    unstubGlobals: true,
  },
}));
