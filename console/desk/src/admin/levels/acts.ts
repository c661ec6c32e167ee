// Setting the rules of levels, and going back to the default.
import { answered, client } from "$api/client";
import { tried } from "../acts";
import type { Numbers } from "./rules";
import { words } from "./words";

const TOPIC = "levels";

export function setRules(
  district: string,
  applies_to: string,
  { rises, falls, rise_after_s, fall_after_s }: Numbers,
): Promise<string | null> {
  const body = { applies_to, rises, falls, rise_after_s, fall_after_s };
  const asking = client.PUT("/api/crowd/levels", { params: { query: { district } }, body });
  return tried(answered(asking), { done: words.saved, topic: TOPIC, names: words.fields });
}

export function resetRules(district: string, applies_to: string): Promise<string | null> {
  const asking = client.PUT("/api/crowd/levels", { params: { query: { district } }, body: { applies_to } });
  return tried(answered(asking), { done: words.resetNow, topic: TOPIC });
}
