// Rules of levels as they are edited: four rows, one for each level from 1.
import type { ZoneFeature } from "$api/place";
import type { LevelRule } from "$api/questions";

export type Numbers = Pick<LevelRule, "rises" | "falls" | "rise_after_s" | "fall_after_s">;
export type Draft = Record<keyof Numbers, (number | null)[]>;

export const LEVELS = [1, 2, 3, 4] as const;
export const DENSITY_MAX = 12;
export const WAIT_S_MAX = 7200;
const COLUMNS = ["rises", "falls", "rise_after_s", "fall_after_s"] as const;

export type ZoneRule = { zone: ZoneFeature; own: LevelRule | null; numbers: Numbers };

const commonOf = (zone: ZoneFeature, rules: readonly LevelRule[]): LevelRule | undefined =>
  rules.find((rule) => rule.applies_to === `*${zone.properties.space}`);

/** What a zone follows without a rule of its own: its thresholds in the place, else its kind of space. */
export function underlying(zone: ZoneFeature, rules: readonly LevelRule[]): Numbers | null {
  const common = commonOf(zone, rules);
  return common ? { ...common, ...(zone.properties.thresholds ?? {}) } : null;
}

/** The zones that do not follow their kind of space, each with the numbers it follows. */
export function exceptions(zones: readonly ZoneFeature[], rules: readonly LevelRule[]): ZoneRule[] {
  return zones.flatMap((zone) => {
    const own = rules.find((rule) => rule.applies_to === String(zone.id)) ?? null;
    const numbers = own ?? (zone.properties.thresholds ? underlying(zone, rules) : null);
    return numbers ? [{ zone, own, numbers }] : [];
  });
}

export const draftOf = (numbers: Numbers): Draft => ({
  rises: [...numbers.rises],
  falls: [...numbers.falls],
  rise_after_s: [...numbers.rise_after_s],
  fall_after_s: [...numbers.fall_after_s],
});

/** The cells that cannot stand, as "rises.2" for the third row: rises and falls grow, a fall lies below its
 * rise. */
export function faultsOf(draft: Draft): Set<string> {
  const faults = new Set<string>();
  const { rises, falls } = draft;
  for (const row of LEVELS.keys()) {
    for (const column of COLUMNS) {
      const value = draft[column][row];
      const [low, high] = column.endsWith("_s") ? [0, WAIT_S_MAX] : [Number.MIN_VALUE, DENSITY_MAX];
      if (value == null || !(value >= low && value <= high)) faults.add(`${column}.${row}`);
    }
    const [rise, fall] = [rises[row] ?? 0, falls[row] ?? 0];
    if (row > 0 && rise <= (rises[row - 1] ?? 0)) faults.add(`rises.${row}`);
    if (row > 0 && fall <= (falls[row - 1] ?? 0)) faults.add(`falls.${row}`);
    if (fall >= rise) faults.add(`falls.${row}`);
  }
  return faults;
}

/** The draft as numbers to send; null while a cell is empty. */
export function numbersOf(draft: Draft): Numbers | null {
  const full = Object.values(draft).every((column) => column.every((value) => value !== null));
  return full ? (draft as Numbers) : null;
}
