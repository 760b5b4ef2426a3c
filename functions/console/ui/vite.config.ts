// How the page is built: addresses relative to where it is served, hashed files, each with its Brotli twin.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import type { Plugin, ProxyOptions } from "vite";
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

const answered = [
  "config.json",
  "status",
  "settings",
  "endpoints",
  "events",
  "records",
  "reconcile",
  "import",
];

/** While developing: what the page asks for goes to the stack that `make up` started. */
function toTheStack(): Record<string, ProxyOptions> {
  const stack = process.env.CONSOLE_STACK ?? "../../../.local/stack.json";
  try {
    const api = new URL(JSON.parse(readFileSync(stack, "utf8")).api_url);
    const base = api.pathname.replace(/\/$/, "");
    const proxy = { target: api.origin, changeOrigin: true, rewrite: (path: string) => base + path };
    return Object.fromEntries(
      [...answered, "erasures", "audit"].map((name) => [`^/${name}(/|\\?|$)`, proxy]),
    );
  } catch {
    return {};
  }
}

export default defineConfig(({ command }) => ({
  base: "./",
  plugins: [svelte(), svelteTesting(), brotli()],
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { host: "127.0.0.1", port: 5173, proxy: command === "serve" ? toTheStack() : {} },
  test: {
    environment: "happy-dom",
    environmentOptions: { happyDOM: { url: "http://localhost/billhook/" } },
    include: ["test/**/*.test.ts"],
    restoreMocks: true,
    unstubGlobals: true,
  },
}));
