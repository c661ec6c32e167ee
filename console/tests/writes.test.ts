import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Row } from "../field/src/outbox/outbox.svelte";

const kept: Row[] = [];
vi.mock("../field/src/outbox/shelf", () => ({
  rows: { list: async () => kept, put: async (row: Row) => row.seq ?? kept.push(row), remove: async () => {} },
  fixes: { list: async () => [], put: async () => {}, count: async () => 0, remove: async () => {}, clear: async () => {} },
}));
vi.stubGlobal("localStorage", { getItem: () => null, setItem() {}, removeItem() {} });
/** A server that is switched off answers never, and refuses nothing either. */
const hanging = vi.fn(
  (_request: unknown, { signal }: RequestInit) =>
    new Promise<Response>((_, fail) => signal!.addEventListener("abort", () => fail(signal!.reason))),
);
vi.stubGlobal("fetch", hanging);
const { answered, client, READ_MS, Refused, UPLOAD_MS, WRITE_MS } = await import("$api/client");
const { sendPhoto } = await import("$api/photos");
const { session } = await import("$api/session.svelte");
const { field } = await import("../field/src/outbox/field.svelte");

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(AbortSignal, "timeout").mockImplementation((wait_ms) => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new DOMException("late", "TimeoutError")), wait_ms);
    return stop.signal;
  });
  hanging.mockClear();
  session.state = "open";
  vi.spyOn(session, "may").mockReturnValue(true);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("a write of any page ends after a while and says that nobody answers", async () => {
  const told = { params: { path: { id: "m" }, query: { district: "wuyi" } }, baseUrl: "http://district" };
  const refused = answered(client.POST("/api/matters/{id}/acknowledge", told)).catch((problem: unknown) => problem);
  await vi.advanceTimersByTimeAsync(WRITE_MS);
  expect(await refused).toBeInstanceOf(Refused);
});

test("a photograph that nobody takes ends after a while", async () => {
  const failed = sendPhoto("wuyi", "report", "r", new Blob(["x"])).catch((problem: Error) => problem.name);
  await vi.advanceTimersByTimeAsync(UPLOAD_MS);
  expect(await failed).toBe("TimeoutError");
});

test("what a phone sends frees its outbox again, and is tried again", async () => {
  await field.tell("/api/reports", { id: "r" }, "x");
  await vi.advanceTimersByTimeAsync(0);
  const sends = () => hanging.mock.calls.filter(([path]) => String(path).startsWith("/api/reports")).length;
  expect(sends()).toBe(1);
  await vi.advanceTimersByTimeAsync(WRITE_MS + 2000);
  expect(sends()).toBe(2);
});

test("what a phone asks frees the next question", async () => {
  const reads = () => hanging.mock.calls.filter(([asked]) => asked instanceof Request && asked.method === "GET").length;
  vi.spyOn(client, "GET").mockImplementation(((path: string, told: object) =>
    client.request("get", path as never, { ...told, baseUrl: "http://district" } as never)) as never);
  field.district = "wuyi";
  void field.refresh();
  await vi.advanceTimersByTimeAsync(READ_MS + 100);
  void field.refresh();
  await vi.advanceTimersByTimeAsync(0);
  expect(reads()).toBe(2);
});
