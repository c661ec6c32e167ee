// Setting the rules of levels, and going back to the default.
import { answered, client } from "$api/client";
import { tried } from "../acts";
import type { Numbers } from "./rules";
import { words } from "./words";

const TOPIC = "levels";

export function setRules(
  district: string,
  applies_to: string,
  edition: string,
  { rises, falls, rise_after_s, fall_after_s }: Numbers,
  onstale: () => void,
): Promise<string | null> {
  const body = { applies_to, edition, rises, falls, rise_after_s, fall_after_s };
  const asking = client.PUT("/api/crowd/levels", { params: { query: { district } }, body });
  return tried(answered(asking), { done: words.saved, topic: TOPIC, names: words.fields, onstale });
}

export function resetRules(
  district: string,
  applies_to: string,
  edition: string,
  onstale: () => void,
): Promise<string | null> {
  const body = { applies_to, edition };
  const asking = client.PUT("/api/crowd/levels", { params: { query: { district } }, body });
  return tried(answered(asking), { done: words.resetNow, topic: TOPIC, onstale });
}
