// Fails when what the browser must load has grown over its budget (gzip, level 9). Read from the build's manifest.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const STATIC = new URL("../../src/anshang/static/", import.meta.url);
const KB = 1024;
const PAGE = "index.html";
const BUDGETS = [
  { name: "desk JS without map", entries: [PAGE, "src/app/Desk.svelte"], kb: 120 },
  { name: "phone first load JS", entries: [PAGE], kb: 60, folder: "field/" },
  { name: "page of a shop, all of it", entries: [PAGE], kb: 30, folder: "shop/", styles: true },
  { name: "public page, all of it", entries: [PAGE], kb: 30, folder: "here/", styles: true },
  { name: "map chunk", entries: ["../kit/map/engine.ts"], kb: 450, lazy: true },
];

const read = (file) => readFile(new URL(file, STATIC));
const size = async (file) => gzipSync(await read(file), { level: 9 }).length;

/** The files of an entry and of everything it imports, lazy imports left out. */
function filesOf(manifest, entry, found = new Set()) {
  const chunk = manifest[entry];
  if (!chunk) throw new Error(`no ${entry} in the build`);
  if (found.has(chunk.file)) return found;
  found.add(chunk.file);
  for (const imported of chunk.imports ?? []) filesOf(manifest, imported, found);
  return found;
}

let over = false;
for (const { name, entries, kb, lazy, styles, folder = "" } of BUDGETS) {
  const manifest = JSON.parse(await read(`${folder}manifest.json`));
  const files = new Set(entries.flatMap((entry) => [...filesOf(manifest, entry)]));
  if (styles) for (const chunk of Object.values(manifest)) for (const file of chunk.css ?? []) files.add(file);
  if (lazy) {
    for (const file of filesOf(manifest, PAGE)) files.delete(file);
    for (const entry of entries)
      for (const file of manifest[entry].assets ?? []) if (file.endsWith(".js")) files.add(file);
  }
  let bytes = 0;
  for (const file of files) bytes += await size(folder + file);
  const used = bytes / KB;
  over ||= used > kb;
  console.log(`${used > kb ? "OVER" : "ok  "} ${name}: ${used.toFixed(1)} of ${kb} KB gz`);
}
process.exit(over ? 1 : 0);
