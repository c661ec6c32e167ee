// What is expected in the next two hours, asked again each minute of the district's time.
import { live } from "$api/live/live.svelte";
import { useAnswer } from "$api/queries.svelte";
import * as ask from "$api/questions";
import { pulse } from "$kit/pulse.svelte";
import { AGAIN_MS, AGAIN_MS_MIN } from "./past.svelte";

/** The outlook of a district; what is older than it may be is not shown. */
export function useAhead(district: () => string) {
  const answer = useAnswer(() => ask.forecast(district()));
  const every_ms = $derived(Math.max(AGAIN_MS_MIN, AGAIN_MS / (live.frame?.speed ?? 1)));
  const now_ms = $derived(Date.parse(live.frame?.at ?? ""));
  const told = $derived(answer.value ?? undefined);
  const first_ms = $derived(Date.parse(told?.horizons_at[0] ?? ""));
  const fresh = $derived(first_ms > now_ms);
  const at_s = $derived((told?.horizons_at ?? []).map((at) => Date.parse(at) / 1000));

  $effect(() => {
    if (pulse.now_ms >= (answer.answeredAt_ms ?? Infinity) + every_ms) answer.refresh();
  });

  return {
    get told() {
      return fresh ? told : undefined;
    },
    get refusal() {
      return answer.refusal;
    },
    get at_s() {
      return at_s;
    },
    zone: (id: string) => (fresh ? told?.zones.find((zone) => zone.zone_id === id) : undefined),
  };
}
