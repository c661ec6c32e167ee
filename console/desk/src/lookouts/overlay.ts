// Where she may be, laid over the map: the likelier a place, the larger its disc; where she was last seen is crossed.
import type { Overlay } from "$kit/map/scene";
import { FONT } from "$kit/map/scene";
import type { Shade } from "$kit/reading.svelte";
import type { Lookout, Search } from "./acts";
import { words } from "./words";

const COLOURS = {
  day: { disc: "#1f5fbf", done: "#56616b", text: "#1c2329", halo: "#f3f4f5" },
  night: { disc: "#84adff", done: "#9ba6b0", text: "#e3e7ea", halo: "#161b20" },
} as const;
const RADIUS_PX = 60;

export function lookoutOverlay(lookout: Lookout | undefined, search: Search | undefined, shade: Shade): Overlay {
  const c = COLOURS[shade];
  const point = (lon: number, lat: number, properties: Record<string, string | number>) => ({
    type: "Feature" as const,
    geometry: { type: "Point" as const, coordinates: [lon, lat] },
    properties,
  });
  const open = lookout?.state === "open";
  const places = open ? (search?.places ?? []) : [];
  const discs = places.map((one) =>
    point(one.lon, one.lat, {
      radius: Math.max(2, RADIUS_PX * Math.sqrt(one.chance)),
      colour: one.answered || one.watched ? c.done : c.disc,
    }),
  );
  const seen = lookout && open ? [point(lookout.lon, lookout.lat, { label: `✕\n${words.lastSeen}` })] : [];
  return {
    id: "lookout",
    name: words.overlay,
    sources: {
      likely: { type: "FeatureCollection", features: discs },
      seen: { type: "FeatureCollection", features: seen },
    },
    layers: [
      {
        id: "likely", type: "circle", source: "likely",
        paint: {
          "circle-radius": ["get", "radius"], "circle-color": ["get", "colour"], "circle-opacity": 0.35,
          "circle-stroke-color": ["get", "colour"], "circle-stroke-width": 1.5,
        },
      },
      {
        id: "seen", type: "symbol", source: "seen",
        layout: { "text-field": ["get", "label"], "text-font": FONT, "text-size": 14, "text-allow-overlap": true, "text-line-height": 1.1 },
        paint: { "text-color": c.text, "text-halo-color": c.halo, "text-halo-width": 2 },
      },
    ],
  }; // prettier-ignore
}
