import { describe, expect, test } from "vitest";
import type { Shape } from "$api/client";
import { branches, instantOf } from "../desk/src/incidents/choices";

const one = (id: string, parent_id: string | null = null, retired = false) =>
  ({ id, parent_id, retired }) as Shape["CategoryShown"];

describe("the categories", () => {
  const all = [one("theft"), one("fire"), one("theft.bike", "theft"), one("old", "theft", true), one("gone", null, true)];
  const ids = (kept: string | null) => branches(all, kept).map((branch) => branch.map((each) => each.id));
  test("stand below their root, without what was retired", () => {
    expect(ids(null)).toEqual([["theft", "theft.bike"], ["fire"]]);
  });
  test("keep a retired one that was chosen", () => {
    expect(ids("old")[0]).toEqual(["theft", "theft.bike", "old"]);
  });
});

describe("a time that is told", () => {
  const near = Date.parse("2026-12-31T16:00:10Z");
  test("is the nearest one at which the clocks show it, also across midnight", () => {
    expect(new Date(instantOf("00:00:05", "00:00:10", near)).toISOString()).toBe("2026-12-31T16:00:05.000Z");
    expect(new Date(instantOf("23:59:50", "00:00:10", near)).toISOString()).toBe("2026-12-31T15:59:50.000Z");
    expect(new Date(instantOf("00:02", "00:00:10", near)).toISOString()).toBe("2026-12-31T16:02:00.000Z");
  });
});
