// Writes api/schema.ts from an OpenAPI description: a file or an address, ../openapi.json when none is named.
// With --check it writes nothing and fails when the file in the tree is out of date.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const wanted = process.argv.slice(2).filter((word) => word !== "--check");
const source = wanted[0] ?? "../openapi.json";
const text = source.startsWith("http") ? await (await fetch(source)).text() : await readFile(source, "utf8");
const described = JSON.parse(text);
const made =
  "// Generated from the server's OpenAPI description by `npm run api`; never edited.\n" +
  astToString(await openapiTS(described, { alphabetize: true }));
const target = new URL("../api/schema.ts", import.meta.url);

if (process.argv.includes("--check")) {
  const kept = await readFile(target, "utf8").catch(() => "");
  if (kept !== made) {
    console.error("api/schema.ts is out of date: run `npm run api`");
    process.exit(1);
  }
} else {
  await writeFile(target, made);
}
