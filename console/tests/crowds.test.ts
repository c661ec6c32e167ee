import { describe, expect, test } from "vitest";
import { middleOf, type ZoneFeature } from "$api/place";
import type { Frame } from "$api/frame";
import type { Forecast } from "$api/questions";
import { laterFrame } from "../desk/src/crowds/later";
import { rampStep, ruleOf } from "../desk/src/crowds/rules";
import { boundsOf } from "$kit/map/scene";

const MOVING = [1, 2, 3, 4];
const zone = (thresholds: { rises: number[]; falls: number[] } | null): ZoneFeature => ({
  type: "Feature",
  id: "z01",
  geometry: { type: "Polygon", coordinates: [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]] },
  properties: { kind: "zone", name: { zh: "一", en: "One" }, space: "moving", usable_m2: 10, thresholds },
}); // prettier-ignore
const rule = (applies_to: string, first: number) => ({
  applies_to, own: false, edition: "", rises: [first, 2, 3, 4], falls: [0.8, 1.6, 2.5, 3],
  rise_after_s: [60, 60, 30, 0], fall_after_s: [300, 300, 300, 600],
}); // prettier-ignore

describe("the crowd's colours", () => {
  test("grey is normal: no colour below level 2, the darkest from level 4", () => {
    expect([null, 0.5, 1.99, 2, 2.5, 3, 3.5, 4, 9].map((density) => rampStep(density, MOVING))).toEqual([
      null, null, null, 0, 1, 2, 3, 4, 4,
    ]); // prettier-ignore
  });
  test("a rule for the zone comes before its thresholds, those before its kind of space", () => {
    const [own, common] = [rule("z01", 0.3), rule("*moving", 1)];
    expect(ruleOf(zone(null), [common])?.rises[0]).toBe(1);
    expect(ruleOf(zone({ rises: [0.5, 2, 3, 4], falls: [0.4, 1, 2, 3] }), [common])?.rises[0]).toBe(0.5);
    expect(ruleOf(zone({ rises: [0.5, 2, 3, 4], falls: [0.4, 1, 2, 3] }), [own, common])?.rises[0]).toBe(0.3);
    expect(ruleOf(zone(null), [])).toBeNull();
  });
});

describe("places on the map", () => {
  test("a label stands in the middle of its zone, and the map fits them all", () => {
    const feature = zone(null);
    expect(middleOf(feature.geometry.coordinates[0]!)).toEqual([1, 1]);
    expect(boundsOf([{ type: "FeatureCollection", features: [feature] }])).toEqual([0, 0, 2, 2]);
  });
});

describe("the map of what is expected", () => {
  const now = { density: 1.2, level: 1, people: 12, trend: 0.1, pending: null };
  const frame = { zones: { z01: now, z02: now } } as unknown as Frame;
  const told = { zones: [{ zone_id: "z01", people: { middle: [15, 31] } }] } as unknown as Forecast;
  const place = { features: [zone(null), { ...zone(null), id: "z02" }] } as unknown as Parameters<typeof laterFrame>[3];
  test("a zone has the density and level expected then, and what nobody expects is unknown", () => {
    const later = laterFrame(frame, told, 1, place, [rule("*moving", 1)]);
    expect([later.zones["z01"]?.density, later.zones["z01"]?.level]).toEqual([3.1, 3]);
    expect([later.zones["z02"]?.density, later.zones["z02"]?.level]).toEqual([null, null]);
    expect(frame.zones["z01"]?.level).toBe(1);
  });
});
