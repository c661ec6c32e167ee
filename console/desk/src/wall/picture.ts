// What a wall says in few figures, from the frame and the sensors.
import type { Frame, ZoneNow } from "$api/frame";
import type { ZoneFeature } from "$api/place";
import type { Sensor } from "$api/questions";
import type { Both } from "$kit/i18n.svelte";

export type Dense = { id: string; name: Both; now: ZoneNow & { density: number } };

/** The zones with the most people per square metre, densest first; unknown ones are not among them. */
export function densest(zones: readonly ZoneFeature[], frame: Frame | null, count: number): Dense[] {
  return zones
    .flatMap((zone) => {
      const now = frame?.zones[String(zone.id)];
      if (!now || now.level === null || now.density === null) return [];
      return [{ id: String(zone.id), name: zone.properties.name, now: { ...now, density: now.density } }];
    })
    .sort((a, b) => b.now.density - a.now.density || a.id.localeCompare(b.id))
    .slice(0, count);
}

/** How many of the sensors in use say nothing. */
export function silence(sensors: readonly Sensor[]): { silent: number; all: number } {
  const used = sensors.filter((sensor) => !sensor.retired_at);
  const silent = used.filter((sensor) => sensor.state === "silent" || sensor.state === "never");
  return { silent: silent.length, all: used.length };
}

const LARGE_PX = 32;
const NARROW_PX = 1024;
const LEAST_PX = 18;

/** The size of type: 32 px on 1920×1080, in proportion on other walls, legible on a narrow screen. */
export function typeSize(width_px: number, height_px: number): number {
  if (width_px < NARROW_PX) return Math.min(LARGE_PX, Math.max(LEAST_PX, width_px / 30));
  return Math.max(LEAST_PX, LARGE_PX * Math.min(width_px / 1920, height_px / 1080));
}
