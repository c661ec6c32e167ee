// Units on duty on the map: a sign by how they move, the call sign below; an old position is violet with its age.
import type { Overlay } from "$kit/map/scene";
import { FONT } from "$kit/map/scene";
import type { Formats } from "$kit/formats";
import type { Shade } from "$kit/reading.svelte";
import { onDuty, type Unit } from "./acts";
import { words } from "./words";

type Kind = { id: string; mode: string };
const SIGNS: Record<string, string> = { walking: "●", cycling: "◆", driving: "■", flying: "▲", fixed: "⌂" };
const COLOURS = {
  day: { text: "#1c2329", halo: "#f3f4f5", sent: "#1f5fbf", stale: "#6f42c1" },
  night: { text: "#e3e7ea", halo: "#161b20", sent: "#84adff", stale: "#b692f6" },
} as const;
const SENT = ["assigned", "moving", "on_scene", "offered"];

export function unitsOverlay(units: readonly Unit[], kinds: readonly Kind[], shade: Shade, formats: Formats): Overlay {
  const c = COLOURS[shade];
  const features = onDuty([...units]).flatMap((unit) => {
    if (!unit.fix) return [];
    const mode = kinds.find((kind) => kind.id === unit.kind_id)?.mode ?? "walking";
    const { lon, lat, stale, age_s } = unit.fix;
    const properties = {
      sign: SIGNS[mode] ?? SIGNS["walking"]!,
      label: stale ? `${unit.call_sign} ${formats.span(age_s)}` : unit.call_sign,
      colour: stale ? c.stale : SENT.includes(unit.status) ? c.sent : c.text,
    };
    return [{ type: "Feature" as const, geometry: { type: "Point" as const, coordinates: [lon, lat] }, properties }];
  });
  return {
    id: "units",
    name: words.units,
    sources: { units: { type: "FeatureCollection", features } },
    layers: [
      {
        id: "units", type: "symbol", source: "units",
        layout: {
          "text-field": ["concat", ["get", "sign"], "\n", ["get", "label"]],
          "text-font": FONT, "text-size": 13, "text-line-height": 1, "text-allow-overlap": true,
          "text-ignore-placement": true, "text-offset": [0, 0.4],
        },
        paint: { "text-color": ["get", "colour"], "text-halo-color": c.halo, "text-halo-width": 2 },
      },
    ],
  }; // prettier-ignore
}
