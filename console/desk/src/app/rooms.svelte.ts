// The rooms that the desk loads once it stands, so that the first screen need not wait for them.
export type LookoutRoom = typeof import("../lookouts");
export type PartnersRoom = typeof import("../partners");
export type CallForm = typeof import("../incidents/NewIncident.svelte");

/** A room, null until it is loaded. */
function useRoom<R>(wanted: () => boolean, load: () => Promise<R>): { readonly room: R | null } {
  let room = $state.raw<R | null>(null);
  $effect(() => {
    if (wanted() && room === null) void load().then((loaded) => (room = loaded)).catch(() => {});
  });
  return {
    get room() {
      return room;
    },
  };
}

export const useLookouts = (wanted: () => boolean) => useRoom(wanted, () => import("../lookouts"));
export const useAlarms = () => useRoom(() => true, () => import("../dispatch/Alarms.svelte"));
export const useCallForm = (wanted: () => boolean) => useRoom(wanted, () => import("../incidents/NewIncident.svelte"));
export const useDuty = (wanted: () => boolean) => useRoom(wanted, () => import("../duty"));
export const usePartners = (wanted: () => boolean) => useRoom(wanted, () => import("../partners"));
