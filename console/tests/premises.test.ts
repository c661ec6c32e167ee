// Premises by the name that somebody types.
import { expect, test } from "vitest";
import type { PremisesFeature } from "$api/place";
import { premisesNamed } from "$api/premises";

const shop = (id: string, zh: string, en: string, zone: string): PremisesFeature => ({
  type: "Feature",
  id,
  geometry: { type: "Point", coordinates: [0, 0] },
  properties: { kind: "premises", name: { zh, en }, trade: "shop", zone },
});
const all = [
  shop("a", "老茶馆", "Old Tea House", "z0"),
  shop("b", "便利店", "Corner Shop", "z0"),
  shop("c", "便利店", "Corner Shop", "z1"),
];
const idOf = (typed: string, zone: string | null = null) => premisesNamed(all, typed, zone).one?.id;

test("either language is taken, in capitals or not, with spaces around", () => {
  for (const typed of ["老茶馆", " old tea house", "OLD  TEA HOUSE"]) expect(idOf(typed)).toBe("a");
});

test("part of a name, or no name, is none", () => {
  for (const typed of ["", "  ", "tea", "茶馆"]) expect(premisesNamed(all, typed, null)).toEqual({ one: undefined, several: false });
});

test("of several of one name none is guessed: the zone decides", () => {
  expect(premisesNamed(all, "corner shop", null)).toEqual({ one: undefined, several: true });
  expect(idOf("corner shop", "z1")).toBe("c");
  expect(premisesNamed(all, "便利店", "z9").several).toBe(true);
});
