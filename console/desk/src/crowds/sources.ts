// The crowd as GeoJSON: what stands still (from the place) and what moves (from the frame).
import type { Feature, FeatureCollection, Point, Position } from "geojson";
import type { Frame } from "$api/frame";
import { featuresOf, middleOf, type GateFeature, type Place, type PlaceFeature, type ZoneFeature } from "$api/place";
import type { Both, Language } from "$kit/i18n.svelte";
import type { Formats } from "$kit/formats";
import { trendSign } from "$vocabulary/words";
import { HATCHED_FROM, rampStep } from "./rules";
import { words } from "./words";

/** From this level on, a level that outlasts its density is said on the map. */
const SHOWN_FROM = 3;
const collection = (features: Feature[]): FeatureCollection => ({ type: "FeatureCollection", features });
const spot = (at: Position, properties: Record<string, unknown>): Feature<Point> => ({
  type: "Feature",
  geometry: { type: "Point", coordinates: at },
  properties,
});

function middleOfGate(gate: GateFeature): Position {
  const { geometry } = gate;
  if (geometry.type === "Point") return geometry.coordinates;
  return geometry.coordinates[Math.floor(geometry.coordinates.length / 2)] ?? [0, 0];
}

const named = (features: PlaceFeature[], language: Language, extra: string | null): FeatureCollection =>
  collection(
    features.map(({ id, geometry, properties }) => ({
      type: "Feature",
      geometry,
      properties: {
        id: String(id),
        name: "name" in properties ? (properties.name as Both)[language] : "",
        ...(extra === null ? {} : { sort: Reflect.get(properties, extra) }),
      },
    })),
  );

export function standing(place: Place, language: Language): Record<string, FeatureCollection> {
  return {
    walkways: named(featuresOf(place, "walkway"), language, "way"),
    premises: named(featuresOf(place, "premises"), language, "trade"),
    posts: named(featuresOf(place, "post"), language, "post_kind"),
  };
}

export type Reader = { formats: Formats; noData: string; rises: (zone: ZoneFeature) => readonly number[] };

/** Zones and gates as they are now; `stale` shows every number as unknown age. */
export function moving(
  place: Place,
  frame: Frame | null,
  stale: boolean,
  selected: string | null,
  { formats, noData, rises }: Reader,
): Record<string, FeatureCollection> {
  const zones: Feature[] = [];
  const labels: Feature[] = [];
  for (const zone of featuresOf(place, "zone")) {
    const id = String(zone.id);
    const now = frame?.zones[id];
    const density = now?.level === null ? null : (now?.density ?? null);
    const level = now?.level ?? -1;
    const silent = stale || density === null;
    const properties = {
      id,
      level,
      density: density ?? -1,
      step: silent ? -1 : (rampStep(density, rises(zone)) ?? -1),
      hatched: !silent && density >= HATCHED_FROM,
      silent,
      selected: id === selected,
    };
    zones.push({ type: "Feature", geometry: zone.geometry, properties });
    const sign = trendSign(now?.trend);
    const eased = !silent && level >= SHOWN_FROM && density < (rises(zone)[level - 1] ?? 0);
    const figure = density === null ? noData : `${formats.number(density, 1)} ${sign}`.trim();
    const number = eased ? `${figure}\n${level}${words.held}` : figure;
    const ring = zone.geometry.coordinates[0] ?? [];
    const name = zone.properties.name[formats.language];
    labels.push(spot(middleOf(ring), { ...properties, number, name, known: density !== null }));
  }
  return { zones: collection(zones), labels: collection(labels), gates: gatesNow(place, frame, stale, formats) };
}

function gatesNow(place: Place, frame: Frame | null, stale: boolean, formats: Formats): FeatureCollection {
  const gates: Feature[] = [];
  for (const gate of featuresOf(place, "gate")) {
    const id = String(gate.id);
    const now = frame?.gates[id];
    const flow = now?.flow ?? null;
    const properties = {
      id,
      over: now?.over ?? false,
      silent: stale || flow === null,
      number: flow === null ? "–" : formats.number(flow),
      name: gate.properties.name[formats.language],
    };
    gates.push({ type: "Feature", geometry: gate.geometry, properties });
    gates.push(spot(middleOfGate(gate), properties));
  }
  return collection(gates);
}
