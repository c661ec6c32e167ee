// A small page of its own below its name, chosen by --mode: no service worker, so that it works inside other apps.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => ({
  root: at(`./${mode}`),
  base: `/${mode}/`,
  plugins: [svelte({ configFile: at("./svelte.config.js") })],
  resolve: { alias: { $kit: at("./kit"), $api: at("./api"), $signin: at("./desk/src/signin") } },
  build: {
    outDir: at(`../src/anshang/static/${mode}`),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    manifest: "manifest.json",
  },
}));
