// The categories as they are chosen from, and times as they are told.
import type { Shape } from "$api/client";
import type { Language } from "$kit/i18n.svelte";

type Category = Shape["CategoryShown"];

export const nameOf = (category: Category, language: Language): string =>
  language === "zh" ? category.name_zh : category.name_en;

/** Each root with what lies below it, the root first; retired ones only when `kept` is one. */
export function branches(categories: readonly Category[], kept: string | null): Category[][] {
  const shown = categories.filter((one) => !one.retired || one.id === kept);
  const below = (id: string): Category[] =>
    shown.filter((one) => one.parent_id === id).flatMap((one) => [one, ...below(one.id)]);
  return shown.filter((one) => one.parent_id === null).map((root) => [root, ...below(root.id)]);
}

const DAY_S = 86_400;
const secondsOf = (clock: string): number => {
  const [h = 0, m = 0, s = 0] = clock.split(":").map(Number);
  return h * 3600 + m * 60 + s;
};

/** The instant nearest to `near_ms`, when the clocks show `shown`, at which they show `told` (both HH:MM:SS). */
export function instantOf(told: string, shown: string, near_ms: number): number {
  const apart_s = (((secondsOf(told) - secondsOf(shown)) % DAY_S) + DAY_S) % DAY_S;
  return near_ms + (apart_s > DAY_S / 2 ? apart_s - DAY_S : apart_s) * 1000;
}
