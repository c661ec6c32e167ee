// Which rule a zone's level follows, and which step of the density ramp a density has within it.
import type { ZoneFeature } from "$api/place";
import type { LevelRule } from "$api/questions";

export type Rule = Pick<LevelRule, "rises" | "falls" | "rise_after_s" | "fall_after_s"> & { own: boolean };

const CAUTION = 1;
const SERIOUS = 3;
const STEPS = 4;
export const HATCHED_FROM = 3.5;

/** The rule of a zone: one set for it, else its thresholds in the place, else that of its kind of space. */
export function ruleOf(zone: ZoneFeature, rules: readonly LevelRule[]): Rule | null {
  const id = String(zone.id);
  const { space, thresholds } = zone.properties;
  const special = rules.find((rule) => rule.applies_to === id);
  const common = rules.find((rule) => rule.applies_to === `*${space}`);
  const base = special ?? common;
  if (!base) return null;
  return { ...base, ...(special ? {} : (thresholds ?? {})), own: special !== undefined || thresholds !== null };
}

/** 0 to 4 from level 2 up to level 4, null below: grey is normal. */
export function rampStep(density: number | null, rises: readonly number[]): number | null {
  const [low, high] = [rises[CAUTION], rises[SERIOUS]];
  if (density === null || low === undefined || high === undefined || density < low) return null;
  return Math.min(STEPS, Math.floor(((density - low) / (high - low)) * STEPS));
}
