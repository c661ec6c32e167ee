// What a person does about a crowd. Each says in a toast that it is done; a refusal stays until it is read.
import { answered, client, saidOf } from "$api/client";
import { newId } from "$api/ids";
import { answers } from "$api/queries.svelte";
import { toasts } from "$kit/toasts.svelte";
import { words } from "./words";

async function done(asking: Promise<unknown>, text: string, topic: string): Promise<boolean> {
  try {
    await asking;
  } catch (problem) {
    toasts.refuse(saidOf(problem));
    return false;
  }
  toasts.say(text);
  answers.happened(topic);
  return true;
}

const at = (district: string, zone: string) => ({ path: { zone }, query: { district } });

export function takeMeasure(
  district: string,
  zone: string,
  taken: { step: string | null; note: string; matter_id: string | null },
): Promise<boolean> {
  const body = { id: newId(), ...taken };
  const asking = client.POST("/api/crowd/zones/{zone}/measures", { params: at(district, zone), body });
  return done(answered(asking), words.recorded, "measure");
}

export function confirmSerious(district: string, zone: string): Promise<boolean> {
  const asking = client.POST("/api/crowd/zones/{zone}/confirm", { params: at(district, zone) });
  return done(answered(asking), words.confirmed, "level");
}

export function allowLowering(district: string, zone: string): Promise<boolean> {
  const asking = client.POST("/api/crowd/zones/{zone}/lower", { params: at(district, zone) });
  return done(answered(asking), words.lowered, "level");
}

export function countByEye(district: string, zone: string, people: number, error_share: number): Promise<boolean> {
  const body = { id: newId(), people, error_share };
  const asking = client.POST("/api/crowd/zones/{zone}/count", { params: at(district, zone), body });
  return done(answered(asking), words.counted, "zone");
}
