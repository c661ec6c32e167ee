// Entering, reading and withdrawing planned events.
import { answered, client, type Shape } from "$api/client";
import { answers } from "$api/queries.svelte";
import { said } from "$kit/i18n.svelte";
import { toasts } from "$kit/toasts.svelte";
import { refusalOf, tried } from "../acts";
import { words } from "./words";

export const TOPIC = "event";

export function enter(district: string, body: Shape["NewEvent"]): Promise<string | null> {
  const asking = client.POST("/api/events", { params: { query: { district } }, body });
  return tried(answered(asking), { done: words.entered, topic: TOPIC, names: words.fields });
}

export function withdraw(district: string, id: string): Promise<string | null> {
  const asking = client.DELETE("/api/events/{id}", { params: { path: { id }, query: { district } } });
  return tried(answered(asking), { done: words.withdrawn, topic: TOPIC });
}

/** Read a file of events or of the weather: the refusal, or what was left out of it, line by line, or null. */
export async function readFile(district: string, what: "events" | "weather", file: File): Promise<string | null> {
  const bytes = new Blob([await file.arrayBuffer()]);
  const sent = {
    params: { query: { district } },
    headers: { "Content-Type": "application/octet-stream" },
    body: "" as never,
    bodySerializer: () => bytes,
  };
  let leftOut: string | null = null;
  try {
    const taken = await answered(client.POST(`/api/${what}/import`, sent));
    if ("hours" in taken) toasts.say(words.toldHours(taken.hours));
    else {
      toasts.say(words.imported(taken.new, taken.known));
      const lines = taken.left_out.map((one) => `${one.name}: ${said(one)}`);
      if (taken.left_out_count > 0) leftOut = [words.leftOut(taken.left_out_count), ...lines].join("\n");
    }
  } catch (problem) {
    return refusalOf(problem);
  }
  answers.happened(what === "events" ? TOPIC : "weather");
  return leftOut;
}
