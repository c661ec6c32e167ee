// What is expected in the next two hours, asked again each minute of the district's time.
import { live } from "$api/live/live.svelte";
import { useAnswer } from "$api/queries.svelte";
import * as ask from "$api/questions";
import { useEachMinute } from "./past.svelte";

type Values = (number | null)[];

/** The outlook of a district; what is older than it may be is not shown. */
export function useAhead(district: () => string) {
  const answer = useAnswer(() => ask.forecast(district()));
  const now_ms = $derived(Date.parse(live.frame?.at ?? ""));
  const told = $derived(answer.value ?? undefined);
  const first_ms = $derived(Date.parse(told?.horizons_at[0] ?? ""));
  const fresh = $derived(first_ms > now_ms);
  const at_s = $derived((told?.horizons_at ?? []).map((at) => Date.parse(at) / 1000));

  useEachMinute(answer);

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

/** A chart's columns: what was up to now, and behind it what is thought to come, if anything is. */
export function goingOn(
  at_s: number[],
  was: { value: Values; low?: Values; high?: Values },
  coming: { at_s: number[]; low: Values; middle: Values; high: Values } | undefined,
) {
  const nothing = at_s.map((): number | null => null);
  const { value, low = nothing, high = nothing } = was;
  if (!coming) return { at_s, value, low, high };
  return {
    at_s: at_s.concat(coming.at_s),
    value: value.concat(coming.at_s.map(() => null)),
    low: low.concat(coming.low),
    high: high.concat(coming.high),
    expected: nothing.slice(1).concat([value.at(-1) ?? null], coming.middle),
  };
}
