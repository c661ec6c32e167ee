import { describe, expect, test } from "vitest";
import type { Frame, ZoneNow } from "$api/frame";
import type { ZoneFeature } from "$api/place";
import type { Sensor } from "$api/questions";
import { homeOf, routeAt } from "../desk/src/app/routes";
import { densest, silence, typeSize } from "../desk/src/wall/picture";

const zone = (id: string) => ({ id, properties: { name: { zh: id, en: id } } }) as unknown as ZoneFeature;
const now = (over: Partial<ZoneNow>) => ({ level: 0, density: 0, low: 0, high: 0, ...over }) as ZoneNow;
const frame = (zones: Record<string, ZoneNow>) => ({ zones }) as unknown as Frame;

describe("the wall", () => {
  test("names the densest zones, and never one of which nobody knows", () => {
    const known = {
      a: now({ density: 1.2 }),
      b: now({ density: 3.4 }),
      c: now({ density: 9, level: null }),
      d: now({ density: 1.2 }),
    };
    const zones = ["d", "c", "b", "a", "e"].map(zone);
    expect(densest(zones, frame(known), 3).map((one) => one.id)).toEqual(["b", "a", "d"]);
    expect(densest(zones, null, 3)).toEqual([]);
  });
  test("counts the sensors that say nothing, without those taken down", () => {
    const sensor = (state: string, retired_at: string | null = null) => ({ state, retired_at }) as Sensor;
    const all = [sensor("ok"), sensor("silent"), sensor("never"), sensor("silent", "2025-01-01T00:00:00Z")];
    expect(silence(all)).toEqual({ silent: 2, all: 3 });
  });
  test("has type of 32 px on 1920×1080, in proportion on others, legible on a phone", () => {
    const sizes = [typeSize(1920, 1080), typeSize(3840, 2160), typeSize(960, 540), typeSize(320, 640)];
    expect(sizes).toEqual([32, 64, 32, 18]);
  });
  test("is where a wall's account begins, and stands without the strip", () => {
    expect([homeOf("wall"), homeOf("desk"), homeOf(undefined)]).toEqual(["/wall", "/", "/"]);
    expect(routeAt("/wall/")?.bare).toBe(true);
  });
});
