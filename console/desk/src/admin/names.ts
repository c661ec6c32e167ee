// What things of the district are called.
import type { Place } from "$api/place";
import { said } from "$kit/i18n.svelte";

/** The names of zones, gates, premises and posts by their codes, in the chosen language. */
export function namesOf(place: Place | undefined): ReadonlyMap<string, string> {
  const named = (place?.features ?? []).filter((feature) => feature.id !== undefined && "name" in feature.properties);
  return new Map(
    named.map(({ id, properties }) => [String(id), "name" in properties ? said(properties.name) : ""]),
  );
}
