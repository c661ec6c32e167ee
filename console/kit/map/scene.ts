// What a map shows, free of any one subject: named GeoJSON sources, layers over them, hatch patterns, a frame to fit.
import type { FeatureCollection } from "geojson";
import type { LayerSpecification } from "maplibre-gl";

export type Pattern = { name: string; line: string; ground: string; width_px: number; gap_px: number };

export type Scene = {
  /** Drawn from first to last. */
  layers: LayerSpecification[];
  background: string;
  patterns: Pattern[];
  /** Layers that answer a click, topmost first. */
  pickable: string[];
  /** West, south, east, north in degrees. */
  bounds: [number, number, number, number];
  /** Nobody touches it: no controls, and it always shows all of its bounds. */
  still?: boolean;
};

export type Sources = Record<string, FeatureCollection>;
/** What another feature lays over the map: its layers, their sources, and what it is called in the list. */
export type Overlay = { id: string; name: string; layers: LayerSpecification[]; sources: Sources };
export type Picked = { layer: string; id: string } | null;

export const FONT = ["system-ui", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"];

type Positions = readonly number[] | readonly Positions[];

/** West, south, east, north of all positions in the collections. */
export function boundsOf(collections: Iterable<FeatureCollection>): Scene["bounds"] {
  const bounds: Scene["bounds"] = [180, 90, -180, -90];
  const take = (positions: Positions): void => {
    const [lon, lat] = positions;
    if (typeof lon === "number" && typeof lat === "number") {
      bounds[0] = Math.min(bounds[0], lon);
      bounds[1] = Math.min(bounds[1], lat);
      bounds[2] = Math.max(bounds[2], lon);
      bounds[3] = Math.max(bounds[3], lat);
    } else (positions as readonly Positions[]).forEach(take);
  };
  for (const { features } of collections)
    for (const { geometry } of features) if (geometry && "coordinates" in geometry) take(geometry.coordinates);
  return bounds;
}
