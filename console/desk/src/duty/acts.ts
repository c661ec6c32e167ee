// What is done at the desk itself.
import { answered, client, saidOf, type Shape } from "$api/client";
import { newId } from "$api/ids";
import { answers } from "$api/queries.svelte";
import { toasts } from "$kit/toasts.svelte";

export type ServiceName = Shape["Asked"]["service"];
const at = (district: string) => ({ query: { district } });

async function done(asking: Promise<unknown>, topic: string): Promise<string | null> {
  try {
    await asking;
  } catch (problem) {
    return saidOf(problem);
  } finally {
    answers.happened(topic);
  }
  return null;
}

async function told(asking: Promise<string | null>): Promise<void> {
  const refusal = await asking;
  if (refusal !== null) toasts.refuse(refusal);
}

export const begin = (district: string) =>
  told(done(answered(client.POST("/api/shift/begin", { params: at(district), body: { id: newId() } })), "shift"));
export const takeOver = (district: string) =>
  told(done(answered(client.POST("/api/shift/take-over", { params: at(district), body: { id: newId() } })), "shift"));
export const write = (district: string, id: string, text: string) =>
  done(answered(client.POST("/api/shift/log", { params: at(district), body: { id, text } })), "shift");
export const handOver = (district: string, note: string) =>
  done(answered(client.POST("/api/shift/hand-over", { params: at(district), body: { note } })), "shift");
export type Thing = Shape["NewItem"]["thing"];
export const keepFound = (district: string, body: Shape["NewItem"]) =>
  done(answered(client.POST("/api/found", { params: at(district), body })), "found");
export const endFound = (district: string, id: string, outcome: Shape["Gone"]["outcome"]) =>
  told(done(answered(client.POST("/api/found/{id}/end", { params: { path: { id }, query: { district } }, body: { outcome } })), "found"));
export const askService = (district: string, service: ServiceName) =>
  told(done(answered(client.POST("/api/services", { params: at(district), body: { id: newId(), service } })), "service"));
export const serve = (district: string, id: string) =>
  told(done(answered(client.POST("/api/services/{id}/done", { params: { path: { id }, query: { district } } })), "service"));
