import { expect, test, vi } from "vitest";
import source from "../desk/src/offline/service-worker.js?raw";
// @ts-expect-error a step of the build, without types
import { written } from "../scripts/service-worker.mjs";

type Asked = { method: string; mode: string; url: string };
type Take = (work: Promise<unknown>) => void;
type Heard = { request?: Asked; data?: unknown; respondWith?: Take; waitUntil?: Take };

/** The worker in a browser of our own. */
function running(version = "1") {
  const listeners = new Map<string, (event: Heard) => void>();
  const kept = new Map<string, Set<string>>();
  const self = {
    location: { origin: "https://kiosk" },
    skipWaiting: vi.fn(),
    addEventListener: (type: string, listener: (event: Heard) => void) => listeners.set(type, listener),
  };
  const caches = {
    open: async (name: string) => {
      const paths = kept.get(name) ?? new Set<string>();
      kept.set(name, paths);
      return {
        addAll: async (asked: { path: string }[]) => asked.forEach(({ path }) => paths.add(path)),
        match: async (path: string) => (paths.has(path) ? `kept ${path}` : undefined),
      };
    },
    keys: async () => [...kept.keys()],
    delete: async (name: string) => kept.delete(name),
  };
  class Request {
    constructor(readonly path: string) {}
  }
  const text = written(source, version, ["/", "/wall"], ["/assets/a.js"]) as string;
  const fetch = async () => "from the server";
  new Function("self", "caches", "Request", "fetch", text)(self, caches, Request, fetch);
  const tell = async (type: string, event: Heard = {}) => {
    let work: Promise<unknown> | undefined;
    const take = (given: Promise<unknown>) => void (work = given);
    listeners.get(type)!({ ...event, respondWith: take, waitUntil: take });
    return work;
  };
  const get = (path: string, over: Partial<Asked> = {}) => {
    const url = new URL(path, "https://kiosk").href;
    return tell("fetch", { request: { method: "GET", mode: "no-cors", url, ...over } });
  };
  return { self, kept, tell, get };
}

test("every screen's address is answered with the kept page, every built file with itself", async () => {
  const { tell, get } = running();
  await tell("install");
  expect(await get("/wall?district=wuyi", { mode: "navigate" })).toBe("kept /");
  expect(await get("/assets/a.js")).toBe("kept /assets/a.js");
});

test("the API, writing, other origins and other addresses are never touched", async () => {
  const { tell, get } = running();
  await tell("install");
  const left = [
    get("/api/live"),
    get("/api/session", { mode: "navigate" }),
    get("/", { method: "POST", mode: "navigate" }),
    get("https://elsewhere/", { mode: "navigate" }),
    get("/else", { mode: "navigate" }),
    get("/manifest.json"),
  ];
  expect(await Promise.all(left)).toEqual(left.map(() => undefined));
});

test("what the browser threw away is asked of the server", async () => {
  const { get } = running();
  expect(await get("/", { mode: "navigate" })).toBe("from the server");
});

test("a new version waits to be asked, and then only its own files are kept", async () => {
  const { self, kept, tell } = running();
  await tell("install");
  kept.set("anshang/.old", new Set());
  kept.set("anshang/field.1", new Set());
  kept.set("something else", new Set());
  await tell("message", { data: "hello" });
  expect(self.skipWaiting).not.toHaveBeenCalled();
  await tell("message", { data: "update" });
  expect(self.skipWaiting).toHaveBeenCalledOnce();
  await tell("activate");
  const names = [...kept.keys()].map((name) => name.replace(/\.[0-9a-f]{12}$/, ""));
  expect(names).toEqual(["anshang/", "anshang/field.1", "something else"]);
});

test("another page is another version", () => {
  expect(written(source, "one", [], [])).not.toBe(written(source, "two", [], []));
});
