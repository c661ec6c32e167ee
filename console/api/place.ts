// The place document as the console reads it: one GeoJSON FeatureCollection.
import type { Feature, LineString, Point, Polygon, Position } from "geojson";
import type { Both } from "$kit/i18n.svelte";

export type Space = "moving" | "standing";
export type Limits = { rises: number[]; falls: number[] };

export type ZoneFeature = Feature<
  Polygon,
  { kind: "zone"; name: Both; space: Space; usable_m2: number; thresholds: Limits | null }
>;
export type GateFeature = Feature<
  LineString | Point,
  { kind: "gate"; name: Both; between: [string, string]; width_m: number }
>;
export type WalkwayFeature = Feature<LineString, { kind: "walkway"; way: string; width_m: number }>;
export type PremisesFeature = Feature<
  Point,
  { kind: "premises"; name: Both; trade: string; zone: string | null }
>;
export type PostFeature = Feature<
  Point,
  { kind: "post"; name: Both; post_kind: string; zone: string | null }
>;
export type PlaceFeature = ZoneFeature | GateFeature | WalkwayFeature | PremisesFeature | PostFeature;

export type Place = {
  type: "FeatureCollection";
  anshang: {
    district: {
      id: string;
      name: Both;
      time_zone: string;
      schematic: boolean;
      credit: Both | null;
    };
  };
  features: PlaceFeature[];
};

export function featuresOf<K extends PlaceFeature["properties"]["kind"]>(
  place: Place,
  kind: K,
): Extract<PlaceFeature, { properties: { kind: K } }>[] {
  type Wanted = Extract<PlaceFeature, { properties: { kind: K } }>;
  return place.features.filter((feature): feature is Wanted => feature.properties.kind === kind);
}

/** The middle of a ring by area. */
export function middleOf(ring: readonly Position[]): Position {
  let [area, lon, lat] = [0, 0, 0];
  const [x0, y0] = ring[0] as [number, number];
  for (let index = 1; index < ring.length; index++) {
    const [ax, ay] = [ring[index - 1]![0]! - x0, ring[index - 1]![1]! - y0];
    const [bx, by] = [ring[index]![0]! - x0, ring[index]![1]! - y0];
    const cross = ax * by - bx * ay;
    area += cross;
    lon += (ax + bx) * cross;
    lat += (ay + by) * cross;
  }
  return area === 0 ? [x0, y0] : [x0 + lon / (3 * area), y0 + lat / (3 * area)];
}
