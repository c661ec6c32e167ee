// The room of look-outs, loaded once the desk stands, so that the first screen need not wait for it.
export type LookoutRoom = typeof import("../lookouts");

/** The room, null until it is loaded. */
export function useLookouts(wanted: () => boolean): { readonly room: LookoutRoom | null } {
  let room = $state.raw<LookoutRoom | null>(null);
  $effect(() => {
    if (wanted() && room === null) void import("../lookouts").then((loaded) => (room = loaded)).catch(() => {});
  });
  return {
    get room() {
      return room;
    },
  };
}
