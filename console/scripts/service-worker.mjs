// A step of the build: writes the service worker beside the page, with what it keeps.
import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";

const SCREENS = /path: "([^"]+)"/g;

/** `worker` and `routes` are the addresses of the sources; `screens` stands for the routes of a page without
 * them. `base` is where it is served; `besides` are kept with the built assets. */
export function serviceWorker({ worker, routes, screens, base = "/", besides = ["sign.svg"] }) {
  let folder;
  return {
    name: "anshang-service-worker",
    apply: "build",
    configResolved: (config) => void (folder = config.build.outDir),
    async closeBundle() {
      const assets = (await readdir(`${folder}/assets`)).sort().map((name) => `${base}assets/${name}`);
      const page = await readFile(`${folder}/index.html`, "utf8");
      const told = screens ?? [...(await readFile(routes, "utf8")).matchAll(SCREENS)].map(([, path]) => path);
      const files = [...besides.map((name) => base + name), ...assets];
      const text = written(await readFile(worker, "utf8"), page, told, files);
      await writeFile(`${folder}/service-worker.js`, text);
    },
  };
}

/** The worker with what it keeps. Assets bear a digest in their name: names and page say which version it is. */
export function written(source, page, screens, files) {
  const all = JSON.stringify([source, page, screens, files]);
  const version = createHash("sha256").update(all).digest("hex").slice(0, 12);
  return source
    .replace('"@version"', JSON.stringify(version))
    .replace('"@routes"', JSON.stringify(screens))
    .replace('"@files"', JSON.stringify(files));
}
