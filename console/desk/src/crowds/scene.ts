// How the crowd is drawn. Grey is normal; colour begins at level 2, hatching at 3.5 people/m²; no data is violet.
import type { ExpressionSpecification, LayerSpecification } from "maplibre-gl";
import { FONT, type Scene } from "$kit/map/scene";
import type { Shade } from "$kit/reading.svelte";

export type Layer = "walkways" | "gates" | "premises" | "posts" | "names";
export const LAYERS: readonly Layer[] = ["names", "gates", "posts", "walkways", "premises"];

const RAMP = ["#f2e6c7", "#f2c879", "#e08f3c", "#b8451f", "#6e1423"];
const DARK = "#1c2329";
const COLOURS = {
  day: {
    ground: "#eceeef", zone: "#dde0e3", edge: "#8a949d", street: "#c3c9ce", text: "#1c2329", muted: "#56616b",
    halo: "#f3f4f5", p2: "#b54708", selected: "#1f5fbf", stale: "#6f42c1", staleSoft: "#eee8f8", gate: "#56616b",
  },
  night: {
    ground: "#14191d", zone: "#2b333a", edge: "#67727c", street: "#3d4750", text: "#e3e7ea", muted: "#9ba6b0",
    halo: "#161b20", p2: "#fdb022", selected: "#84adff", stale: "#b692f6", staleSoft: "#2b2440", gate: "#9ba6b0",
  },
} as const; // prettier-ignore
type Colours = (typeof COLOURS)[Shade];

const get = (name: string): ExpressionSpecification => ["get", name];
const is = (name: string): ExpressionSpecification => ["boolean", get(name), false];
const textFont = FONT;

function zones(c: Colours): LayerSpecification[] {
  const fill: ExpressionSpecification = [
    "match", get("step"), 0, RAMP[0]!, 1, RAMP[1]!, 2, RAMP[2]!, 3, RAMP[3]!, 4, RAMP[4]!, c.zone,
  ]; // prettier-ignore
  return [
    { id: "zones", type: "fill", source: "zones", paint: { "fill-color": fill } },
    {
      id: "zones-dense", type: "fill", source: "zones", filter: is("hatched"),
      paint: { "fill-pattern": "dense" },
    },
    {
      id: "zones-silent", type: "fill", source: "zones", filter: is("silent"),
      paint: { "fill-pattern": "silent" },
    },
    {
      id: "zones-edge", type: "line", source: "zones",
      paint: {
        "line-color": ["case", is("silent"), c.stale, [">=", get("level"), 3], c.text, c.edge],
        "line-width": [
          "interpolate", ["linear"], ["zoom"],
          15, ["case", [">=", get("level"), 3], 1.2, 0.6], 17, ["case", [">=", get("level"), 3], 3, 1],
        ],
      },
    },
    {
      id: "zones-selected", type: "line", source: "zones", filter: is("selected"),
      paint: { "line-color": c.selected, "line-width": 4, "line-offset": 1 },
    },
  ]; // prettier-ignore
}

function streets(c: Colours): LayerSpecification[] {
  return [
    {
      id: "walkways", type: "line", source: "walkways",
      layout: { "line-cap": "round" },
      paint: { "line-color": c.street, "line-width": ["interpolate", ["linear"], ["zoom"], 14, 1, 18, 3] },
    },
  ]; // prettier-ignore
}

function gates(c: Colours, labelled: boolean): LayerSpecification[] {
  const colour: ExpressionSpecification = ["case", is("silent"), c.stale, is("over"), c.p2, c.gate];
  return [
    {
      id: "gates", type: "line", source: "gates", filter: ["==", ["geometry-type"], "LineString"],
      layout: { "line-cap": "round" },
      paint: { "line-color": colour, "line-width": ["case", is("over"), 6, 3] },
    },
    ...(labelled ? [gateLabels(colour, c.halo)] : []),
  ]; // prettier-ignore
}

function gateLabels(colour: ExpressionSpecification, halo: string): LayerSpecification {
  return {
    id: "gate-labels", type: "symbol", source: "gates", minzoom: 16.2,
    filter: ["==", ["geometry-type"], "Point"],
    layout: {
      "text-field": ["concat", ["case", is("over"), "⚠", ""], get("number")],
      "text-font": textFont, "text-size": 11, "text-offset": [0, 0.9],
      "symbol-sort-key": ["case", is("over"), 0, 1],
    },
    paint: { "text-color": colour, "text-halo-color": halo, "text-halo-width": 1.5 },
  }; // prettier-ignore
}

function spots(c: Colours, layer: "premises" | "posts"): LayerSpecification[] {
  const post = layer === "posts";
  return [
    {
      id: layer, type: "circle", source: layer,
      paint: {
        "circle-radius": post ? 5 : 2.5,
        "circle-color": post ? c.halo : c.muted,
        "circle-stroke-color": c.text,
        "circle-stroke-width": post ? 2 : 0,
      },
    },
    {
      id: `${layer}-labels`, type: "symbol", source: layer, minzoom: post ? 16.6 : 17.6,
      layout: { "text-field": get("name"), "text-font": textFont, "text-size": 11, "text-offset": [0, 1.1] },
      paint: { "text-color": c.muted, "text-halo-color": c.halo, "text-halo-width": 1.5 },
    },
  ]; // prettier-ignore
}

/** Names and numbers. From afar (`far_px`) all numbers are of one size; where two collide the fuller zone's stays
 * and the other moves aside. */
function labels(c: Colours, names: boolean, far_px: number | null): LayerSpecification[] {
  const onDark: ExpressionSpecification = [">=", get("step"), 3];
  const onLight: ExpressionSpecification = ["all", [">=", get("step"), 0], ["<", get("step"), 3]];
  const colour: ExpressionSpecification = ["case", is("silent"), c.stale, onDark, "#ffffff", onLight, DARK, c.text];
  const ground: ExpressionSpecification = [
    "match", get("step"), 0, RAMP[0]!, 1, RAMP[1]!, 2, RAMP[2]!, 3, RAMP[3]!, 4, RAMP[4]!, c.zone,
  ]; // prettier-ignore
  const halo: ExpressionSpecification = ["case", is("silent"), c.halo, ground];
  // as wide as the glyphs allow where hatching runs below
  const halo_px: ExpressionSpecification | number = far_px === null ? ["case", is("silent"), 2.75, 1.6] : far_px / 8;
  const paint = { "text-color": colour, "text-halo-color": halo, "text-halo-width": halo_px };
  const asides: ("center" | "right" | "left" | "top")[] = ["center", "right", "left", "top"];
  const fuller: ExpressionSpecification = ["-", 0, get("density")];
  return [
    ...(names
      ? [{
          id: "zone-names", type: "symbol", source: "labels",
          layout: {
            "text-field": get("name"), "text-font": textFont, "text-size": 11, "text-offset": [0, 1.75],
            "text-max-width": 7, "symbol-sort-key": ["-", 0, get("level")], "text-padding": 1,
          },
          paint,
        } satisfies LayerSpecification]
      : []),
    {
      id: "zone-numbers", type: "symbol", source: "labels",
      layout: {
        "text-field": get("number"), "text-font": [...textFont],
        "text-size": far_px ?? ["case", ["!", is("known")], 12, [">=", get("level"), 2], 18, 14],
        "text-allow-overlap": far_px === null, "text-ignore-placement": false,
        ...(far_px === null ? {} : { "symbol-sort-key": fuller, "text-variable-anchor": asides }),
      },
      paint,
    },
  ]; // prettier-ignore
}

export function sceneOf(
  shade: Shade,
  shown: ReadonlySet<Layer>,
  bounds: Scene["bounds"],
  far_px: number | null = null,
): Scene {
  const c = COLOURS[shade];
  return {
    still: far_px !== null,
    background: c.ground,
    bounds,
    patterns: [
      { name: "dense", line: "rgb(255 255 255 / 55%)", ground: "transparent", width_px: 2, gap_px: 6 },
      { name: "silent", line: c.stale, ground: c.staleSoft, width_px: 1.5, gap_px: 6.5 },
    ],
    pickable: ["posts", "zones"],
    layers: [
      ...zones(c),
      ...(shown.has("walkways") ? streets(c) : []),
      ...(shown.has("gates") ? gates(c, far_px === null) : []),
      ...(shown.has("premises") ? spots(c, "premises") : []),
      ...(shown.has("posts") ? spots(c, "posts") : []),
      ...labels(c, shown.has("names"), far_px),
    ],
  };
}
