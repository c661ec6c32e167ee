// What things of the district are called.
import type { Place } from "$api/place";
import { said } from "$kit/i18n.svelte";

/** The names of zones, gates, premises and posts by their codes, in the chosen language. */
export function namesOf(place: Place | undefined): ReadonlyMap<string, string> {
  const features = place?.features ?? [];
  return new Map(
    features.flatMap(({ id, properties }) =>
      id !== undefined && "name" in properties ? [[String(id), said(properties.name)] as const] : [],
    ),
  );
}
