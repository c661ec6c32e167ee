// How sensors are, for people who look after them: what is in trouble comes first.
import type { Sensor } from "$api/questions";

export const STATES = ["silent", "dead", "disagrees", "skewed", "never", "ok", "retired"] as const;
export type State = (typeof STATES)[number];

/** How urgent a state is: the least is looked at first. A state we do not know yet comes before all. */
export const urgencyOf = (sensor: Pick<Sensor, "state">): number => STATES.indexOf(sensor.state as State);

export type Wanted = { text: string; state: string; retired: boolean };

/** The sensors that fit what is looked for; retired ones only when they are asked for. */
export function fitting<S extends Pick<Sensor, "id" | "name_zh" | "name_en" | "state">>(
  all: readonly S[],
  { text, state, retired }: Wanted,
): S[] {
  const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((one) => {
    const said = `${one.id} ${one.name_zh} ${one.name_en}`.toLowerCase();
    const seen = one.state !== "retired" || retired || state === "retired";
    return seen && (state === "" || one.state === state) && parts.every((part) => said.includes(part));
  });
}

/** A share as a percentage to type, and back, without the dust of binary fractions. */
export const toPercent = (share: number): number => Math.round(share * 1000) / 10;
export const fromPercent = (percent: number): number => Math.round(percent * 10) / 1000;
