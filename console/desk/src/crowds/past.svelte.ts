// The last hour of a history with the present frame at its end, asked again each minute of the district's time.
import { untrack } from "svelte";
import { live } from "$api/live/live.svelte";
import { pulse } from "$kit/pulse.svelte";

export const SPAN_S = 3600;
const AGAIN_MS_MIN = 5_000;
const AGAIN_MS = 60_000;

type Asked = { readonly answeredAt_ms: number | null; readonly asking: boolean; refresh(): void };
type History = Asked & { readonly value: { at: string[] } | undefined };

/** Ask again each minute of the district's time, once for everybody who looks at the same answer. */
export function useEachMinute(asked: Asked): void {
  const every_ms = $derived(Math.max(AGAIN_MS_MIN, AGAIN_MS / (live.frame?.speed ?? 1)));
  $effect(() => {
    const due = pulse.now_ms >= (asked.answeredAt_ms ?? Infinity) + every_ms;
    if (due && !untrack(() => asked.asking)) asked.refresh();
  });
}

/** `known` says whether the present belongs to it. */
export function usePast(history: History, known: () => boolean) {
  const now_s = $derived(Date.parse(live.frame?.at ?? "") / 1000);
  const ends = $derived(known() && Number.isFinite(now_s));
  const past_s = $derived((history.value?.at ?? []).map((at) => Date.parse(at) / 1000));
  const kept = $derived(past_s.filter((s) => !(s >= now_s)).length);
  const at_s = $derived(past_s.slice(0, kept).concat(ends ? [now_s] : []));

  useEachMinute(history);

  return {
    get at_s() {
      return at_s;
    },
    get now_s() {
      return now_s;
    },
    get ends() {
      return ends;
    },
    /** A column of the history with the present figure behind it. */
    joined: (past: (number | null)[] | undefined, present: number | null) =>
      (past ?? []).slice(0, kept).concat(ends ? [present] : []),
  };
}
