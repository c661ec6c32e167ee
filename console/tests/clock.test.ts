import { describe, expect, test } from "vitest";
import { instantAt, wallAt } from "$kit/wall";

describe("what is typed on the district's wall clock", () => {
  test("is an instant there, wherever the browser is", () => {
    expect(instantAt("2026-12-31T21:30", "Asia/Shanghai")?.toISOString()).toBe("2026-12-31T13:30:00.000Z");
    expect(instantAt("2026-07-01T09:00", "Europe/Zurich")?.toISOString()).toBe("2026-07-01T07:00:00.000Z");
    expect(instantAt("2026-01-01T09:00", "Europe/Zurich")?.toISOString()).toBe("2026-01-01T08:00:00.000Z");
  });
  test("follows the clocks when they change", () => {
    expect(instantAt("2026-03-29T03:30", "Europe/Zurich")?.toISOString()).toBe("2026-03-29T01:30:00.000Z");
    expect(instantAt("2026-10-25T00:30", "Europe/Zurich")?.toISOString()).toBe("2026-10-24T22:30:00.000Z");
  });
  test("is shown again as it was typed", () => {
    const at = instantAt("2026-12-31T21:30", "Asia/Shanghai");
    expect(wallAt(at!.toISOString(), "Asia/Shanghai")).toBe("2026-12-31T21:30");
  });
  test("is nothing when nothing is typed", () => {
    expect(instantAt("", "Asia/Shanghai")).toBeNull();
  });
});
