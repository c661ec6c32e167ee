import { beforeEach, expect, test, vi } from "vitest";
import type { Row } from "../field/src/outbox/outbox.svelte";

const kept: Row[] = [];
vi.mock("../field/src/outbox/shelf", () => ({
  rows: { list: async () => kept, put: async (row: Row) => row.seq ?? kept.push(row), remove: async () => {} },
  fixes: { list: async () => [], put: async () => {}, count: async () => 0, remove: async () => {}, clear: async () => {} },
}));
vi.stubGlobal("localStorage", { getItem: () => JSON.stringify({ told: {}, at_ms: 1, district: "wuyi", by: "li" }), setItem() {}, removeItem() {} });
vi.stubGlobal("fetch", async () => {
  throw new TypeError("nobody answers");
});
const { field } = await import("../field/src/outbox/field.svelte");
const { session } = await import("$api/session.svelte");

beforeEach(() => {
  kept.length = 0;
  session.ended();
  field.recall();
});

test("what the next person on one phone records is theirs, before the server has answered anything", async () => {
  session.account = { id: "wang" } as never;
  await field.tell("/api/reports", {}, "x");
  expect(kept.map((row) => row.by)).toEqual(["wang"]);
});

test("what is recorded while the session is over is of whoever was on the phone last", async () => {
  await field.tell("/api/reports", {}, "x");
  session.account = { id: "wang" } as never;
  await field.tell("/api/reports", {}, "x");
  session.ended();
  await field.tell("/api/reports", {}, "x");
  expect(kept.map((row) => row.by)).toEqual(["li", "wang", "wang"]);
});
