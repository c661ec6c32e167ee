// What the desk lays over the map of the crowd: the live reach, the units on duty, where somebody lost may be.
import { askAgain } from "$api/again.svelte";
import { useAnswer } from "$api/queries.svelte";
import * as ask from "$api/questions";
import type { Overlay } from "$kit/map/scene";
import { reading } from "$kit/reading.svelte";
import { reachOverlay } from "../dispatch/overlay";
import { unitsOverlay } from "../units/overlay";
import type { LookoutRoom } from "./rooms.svelte";

const UNITS_MS = 2000;
const REACH_MS = 20_000;

/** The overlays of a district, asked again while they are looked at; none for null. */
export function useOverlays(
  district: () => string | null,
  lookout: () => { room: LookoutRoom; id: string } | null,
): { readonly laid: readonly Overlay[] } {
  const asked = <T>(question: (id: string) => T): T | null => {
    const id = district();
    return id === null ? null : question(id);
  };
  const units = useAnswer(() => asked(ask.units));
  const kinds = useAnswer(() => asked(ask.unitKinds));
  const reach = useAnswer(() => asked(ask.liveReach));
  const sought = useAnswer(() => asked((id) => (lookout() ? ask.lookout(id, lookout()!.id) : null)));
  const search = useAnswer(() => asked((id) => (sought.value?.state === "open" ? ask.whereabouts(id, sought.value.id) : null)));
  askAgain([units], UNITS_MS);
  askAgain([reach], REACH_MS);
  const laid = $derived(
    district() === null
      ? []
      : [
          reachOverlay(reach.value, reading.shade),
          unitsOverlay(units.value ?? [], kinds.value ?? [], reading.shade, reading.formats),
          ...(lookout() ? [lookout()!.room.lookoutOverlay(sought.value, search.value, reading.shade)] : []),
        ],
  );
  return {
    get laid() {
      return laid;
    },
  };
}
