// Writes api/schema.ts from an OpenAPI description: a file, or an address. Refusals look alike everywhere and
// are read in one place (api/client.ts), so that they are left out.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const source = process.argv[2];
if (!source) {
  console.error("usage: npm run api -- FILE-OR-ADDRESS");
  process.exit(2);
}
const text = source.startsWith("http") ? await (await fetch(source)).text() : await readFile(source, "utf8");
const described = JSON.parse(text);
for (const operations of Object.values(described.paths))
  for (const { responses } of Object.values(operations))
    for (const status of Object.keys(responses)) if (Number(status) >= 400) delete responses[status];

await writeFile(
  new URL("../api/schema.ts", import.meta.url),
  "// Generated from the server's OpenAPI description by `make console`; never edited, never committed.\n" +
    astToString(await openapiTS(described, { alphabetize: true })),
);
