// A step of the build: writes the service worker beside the page, with what it keeps.
import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";

const SCREENS = /path: "([^"]+)"/g;

/** `worker` and `routes` are the addresses of the sources. */
export function serviceWorker({ worker, routes }) {
  let folder;
  return {
    name: "anshang-service-worker",
    apply: "build",
    configResolved: (config) => void (folder = config.build.outDir),
    async closeBundle() {
      const assets = (await readdir(`${folder}/assets`)).sort().map((name) => `/assets/${name}`);
      const page = await readFile(`${folder}/index.html`, "utf8");
      const screens = [...(await readFile(routes, "utf8")).matchAll(SCREENS)].map(([, path]) => path);
      const text = written(await readFile(worker, "utf8"), page, screens, ["/sign.svg", ...assets]);
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
