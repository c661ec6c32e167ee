// Entering, reading and withdrawing planned events.
import { answered, client, type Shape } from "$api/client";
import { answers } from "$api/queries.svelte";
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

/** Read a file of events or of the weather: the refusal, or null when it was taken. */
export async function readFile(district: string, what: "events" | "weather", file: File): Promise<string | null> {
  const bytes = new Blob([await file.arrayBuffer()]);
  const sent = {
    params: { query: { district } },
    headers: { "Content-Type": "application/octet-stream" },
    body: "" as never,
    bodySerializer: () => bytes,
  };
  try {
    const told = await answered(client.POST(`/api/${what}/import`, sent));
    toasts.say("hours" in told ? words.toldHours(told.hours) : words.imported(told.new, told.known));
  } catch (problem) {
    return refusalOf(problem);
  }
  answers.happened(what === "events" ? TOPIC : "weather");
  return null;
}
