// The live reach on the map: for each rung the streets its units reach in time, the soonest the broadest.
import type { Shape } from "$api/client";
import type { Overlay } from "$kit/map/scene";
import type { Shade } from "$kit/reading.svelte";
import { words } from "./words";

const WIDTHS_PX = [9, 6, 3];
const COLOUR = { day: "#1f5fbf", night: "#84adff" } as const;

export function reachOverlay(reach: Shape["ReachShown"] | null | undefined, shade: Shade): Overlay {
  const tiers = reach?.tiers ?? [];
  return {
    id: "reach",
    name: words.reach,
    sources: Object.fromEntries(
      tiers.map((tier) => [
        `reach ${tier.rung_id}`,
        {
          type: "FeatureCollection",
          features: [
            { type: "Feature", geometry: { type: "MultiLineString", coordinates: tier.lines }, properties: {} },
          ],
        },
      ]),
    ),
    layers: tiers.map((tier, index) => ({
      id: `reach ${tier.rung_id}`,
      type: "line",
      source: `reach ${tier.rung_id}`,
      layout: { "line-cap": "butt" },
      paint: {
        "line-color": COLOUR[shade],
        "line-width": WIDTHS_PX[Math.min(index, WIDTHS_PX.length - 1)]!,
        "line-opacity": 0.45,
      },
    })),
  };
}
