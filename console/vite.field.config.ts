// The phone app, built beside the desk: its own page, service worker and budget under /field.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { serviceWorker } from "./scripts/service-worker.mjs";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at("./field"),
  base: "/field/",
  plugins: [
    svelte({ configFile: at("./svelte.config.js") }),
    serviceWorker({
      worker: at("./desk/src/offline/service-worker.js"),
      screens: ["/field/"],
      base: "/field/",
      besides: ["sign.svg", "sign-192.png", "manifest.webmanifest"],
    }),
  ],
  resolve: { alias: { $kit: at("./kit"), $api: at("./api"), $signin: at("./desk/src/signin") } },
  build: {
    outDir: at("../src/anshang/static/field"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    manifest: "manifest.json",
  },
});
