/// <reference types="vite/client" />
import { expect, test } from "vitest";

const sources = import.meta.glob(["../{kit,api,desk,field}/**/*.{ts,svelte}"], { query: "?raw", import: "default", eager: true });
const files = Object.entries(sources as Record<string, string>).map(([path, text]) => ({
  path: path.replace("../", ""),
  imports: [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, name]) => name!),
}));

/** The storey of a file: kit and api below, then the shared words of the field, then features, then app. */
function roomOf(path: string): string {
  const [top, , feature] = path.split("/");
  return top === "desk" || top === "field" ? `${top}/${feature}` : top!;
}

function targetOf(path: string, name: string): string | null {
  if (name.startsWith("$kit/")) return "kit";
  if (name.startsWith("$api/")) return "api";
  if (name.startsWith("$vocabulary/")) return "desk/vocabulary";
  if (name.startsWith("$signin/")) return "desk/signin";
  if (!name.startsWith(".")) return null;
  return roomOf(new URL(name, `file:///${path}`).pathname.slice(1));
}

function allowed(room: string, target: string): boolean {
  if (room === target) return true;
  if (room === "kit") return false;
  if (room === "api") return target === "kit";
  if (room === "desk/app") return target !== "field";
  if (room === "field/app") return target === "desk/signin" || !target.startsWith("desk/");
  if (room.startsWith("field/")) return ["kit", "api", "field/outbox"].includes(target);
  const below = ["kit", "api", "desk/vocabulary"];
  return room === "desk/vocabulary" ? target === "kit" || target === "api" : below.includes(target);
}

test("imports go down: kit, api, vocabulary, features, app; features never import features", () => {
  const wrong = files.flatMap(({ path, imports }) =>
    imports.flatMap((name) => {
      const target = targetOf(path, name);
      return target === null || allowed(roomOf(path), target) ? [] : [`${path} → ${name}`];
    }),
  );
  expect(files.length).toBeGreaterThan(50);
  expect(wrong).toEqual([]);
});

test("the kit asks nothing of a server", () => {
  const asking = Object.entries(sources as Record<string, string>).filter(
    ([path, text]) => path.startsWith("../kit/") && /\b(fetch|EventSource|XMLHttpRequest)\s*\(/.test(text),
  );
  expect(asking.map(([path]) => path)).toEqual([]);
});

test("no question and no write, of any page, waits without an end", () => {
  const pages = import.meta.glob(["../{api,desk,field,shop,here}/**/*.{ts,svelte}"], { query: "?raw", import: "default", eager: true });
  const calls = Object.entries(pages as Record<string, string>).flatMap(([path, text]) =>
    [...text.matchAll(/\bfetch\(/g)].map(({ index }) => ({ path, call: text.slice(index, index + 500).split(");\n")[0]! })),
  );
  expect(calls.length).toBeGreaterThan(3);
  expect(calls.filter(({ call }) => !call.includes("signal:")).map(({ path }) => path)).toEqual([]);
});
