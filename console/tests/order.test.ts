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
  test("what is urgent and unanswered stands above all that somebody has taken", () => {
    const rows = [matter("a", 1, "acknowledged"), matter("b", 2, "open", 9), matter("c", 3, "open"), matter("d", 1, "open", 20)];
    expect(ids(rows.sort(byUrgency))).toBe("d b a c");
  });
  test("takes new rows at once", () => {
    expect(ids(arranged([matter("a", 2)], [matter("a", 2), matter("n", 1)], null, done))).toBe("n a");
  });
  test("takes new rows at once also while the pointer rests in it: only the row under it keeps its place", () => {
    const shown = [matter("a", 2, "acknowledged"), matter("b", 3), matter("c", 3, "open", 1)];
    const fresh = [...shown, matter("n", 1, "open", 9), matter("m", 2, "open", 9)];
    expect(ids(arranged(shown, fresh, "b", done))).toBe("n b m a c");
    expect(ids(arranged(shown, fresh, "c", done))).toBe("n m c a b");
  });
  test("shows the row under the pointer as done when it was closed meanwhile, and no other", () => {
    const rows = arranged([matter("a", 2), matter("b", 3), matter("c", 4)], [matter("c", 4)], "b", done);
    expect(rows.map((row) => `${row.id} ${row.state}`)).toEqual(["c open", "b closed"]);
  });
  test("a table under the pointer keeps its order and puts new rows last", () => {
    expect(ids(inKeptOrder([matter("c", 1), matter("n", 1), matter("a", 1)], ["a", "b", "c"]))).toBe("a c n");
  });
});
