// What the desk does with units on duty.
import { answered, client, saidOf, type Shape } from "$api/client";
import { answers } from "$api/queries.svelte";
import { toasts } from "$kit/toasts.svelte";
import { words } from "./words";

export type Unit = Shape["UnitShown"];
export type OwnStatus = "free" | "busy" | "break";
export const OWN = ["free", "busy", "break"] as const satisfies readonly OwnStatus[];

export const onDuty = (units: readonly Unit[]): Unit[] => units.filter((unit) => unit.duty_id !== null);

export async function tellStatus(district: string, unit: Unit, status: OwnStatus): Promise<void> {
  const params = { path: { id: unit.id }, query: { district } };
  const body = { status, version: unit.version };
  try {
    await answered(client.POST("/api/units/{id}/status", { params, body }));
    toasts.say(words.toldNow(unit.call_sign, words.statuses[status]));
  } catch (problem) {
    toasts.refuse(saidOf(problem));
  }
  answers.happened("unit");
}
