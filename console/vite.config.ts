import { svelte } from "@sveltejs/vite-plugin-svelte";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { serviceWorker } from "./scripts/service-worker.mjs";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const server = process.env["ANSHANG_SERVER"] ?? "http://127.0.0.1:8765";

export default defineConfig({
  root: at("./desk"),
  plugins: [
    svelte({ configFile: at("./svelte.config.js") }),
    serviceWorker({
      worker: at("./desk/src/offline/service-worker.js"),
      routes: at("./desk/src/app/routes.ts"),
    }),
  ],
  resolve: {
    alias: { $kit: at("./kit"), $api: at("./api"), $vocabulary: at("./desk/src/vocabulary") },
    ...(process.env["VITEST"] ? { conditions: ["browser"] } : {}),
  },
  build: {
    outDir: at("../src/anshang/static"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    manifest: "manifest.json",
  },
  worker: { format: "es" },
  server: { proxy: { "/api": { target: server } } },
  test: { root: at("."), include: ["tests/**/*.test.ts"], environment: "node" },
});
