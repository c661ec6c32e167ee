// What is selected on the desk: a zone that somebody chose, or a matter with the zone that it brings along.
import { router } from "$kit/router.svelte";

export function useSelection() {
  let chosen = $state(router.mark("matter") ? null : router.mark("zone"));
  return {
    /** The zone that somebody chose; one that came with a matter says nothing of the next call. */
    get zone(): string | null {
      return chosen === router.mark("zone") ? chosen : null;
    },
    open(matter: { id: string; zone_id: string | null }): void {
      chosen = null;
      router.set({ matter: matter.id, zone: matter.zone_id }, true);
    },
    look(id: string, at: string | null = null): void {
      if (at) chosen = null;
      router.set({ matter: id, ...(at && { zone: at }) }, true);
    },
    choose(id: string | null): void {
      chosen = id;
      router.set({ zone: id, matter: null }, true);
    },
  };
}
