// The frame as it is expected at a horizon: densities and levels of what is known ahead, the rest unknown.
import type { Frame, ZoneNow } from "$api/frame";
import { featuresOf, type Place } from "$api/place";
import type { Forecast, LevelRule } from "$api/questions";
import { ruleOf } from "./rules";

export function laterFrame(
  frame: Frame,
  told: Forecast,
  horizon: number,
  place: Place,
  rules: readonly LevelRule[],
): Frame {
  const zones: Record<string, ZoneNow> = {};
  for (const zone of featuresOf(place, "zone")) {
    const id = String(zone.id);
    const now = frame.zones[id];
    if (!now) continue;
    const people = told.zones.find((one) => one.zone_id === id)?.people.middle[horizon];
    const density = people === undefined ? null : people / zone.properties.usable_m2;
    const rises = ruleOf(zone, rules)?.rises ?? [];
    const level = density === null ? null : rises.filter((rise) => density >= rise).length;
    zones[id] = { ...now, people: people ?? null, density, level, trend: null, pending: null };
  }
  return { ...frame, zones };
}
