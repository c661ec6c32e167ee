import { describe, expect, test } from "vitest";
import { inKeptOrder } from "$kit/steady.svelte";
import { arranged, byUrgency, type Waiting } from "../desk/src/matters/order";

const matter = (id: string, priority: number, state = "open", minute = 0): Waiting => ({
  id,
  priority,
  state,
  opened_at: `2024-12-31T13:${String(minute).padStart(2, "0")}:00Z`,
});
const ids = (rows: readonly Waiting[]) => rows.map((row) => row.id).join(" ");
const done = (row: Waiting): Waiting => ({ ...row, state: "closed" });

describe("the queue", () => {
  test("is ordered by priority, then by who waits unacknowledged, then by age", () => {
    const rows = [matter("d", 3), matter("c", 1, "acknowledged", 1), matter("b", 1, "open", 9), matter("a", 1, "open", 2)];
    expect(ids(rows.sort(byUrgency))).toBe("a b c d");
  });
  test("takes new rows at once when nobody is over it", () => {
    expect(ids(arranged([matter("a", 2)], [matter("a", 2), matter("n", 1)], false, done).rows)).toBe("n a");
  });
  test("does not move what is under the pointer: new rows wait and are counted", () => {
    const held = arranged([matter("a", 2), matter("b", 3)], [matter("n", 1), matter("b", 1), matter("a", 2)], true, done);
    expect(ids(held.rows)).toBe("a b");
    expect(held.newCount).toBe(1);
    expect(held.held).toBe(true);
  });
  test("shows what was closed meanwhile as done, in its place", () => {
    const held = arranged([matter("a", 2), matter("b", 3)], [matter("b", 3)], true, done);
    expect(held.rows.map((row) => row.state)).toEqual(["closed", "open"]);
  });
  test("has nothing to let go when nothing would move", () => {
    expect(arranged([matter("a", 2)], [matter("a", 2, "acknowledged")], true, done).held).toBe(false);
  });
  test("a table under the pointer keeps its order and puts new rows last", () => {
    expect(ids(inKeptOrder([matter("c", 1), matter("n", 1), matter("a", 1)], ["a", "b", "c"]))).toBe("a c n");
  });
});
