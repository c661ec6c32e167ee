// What is done in a look-out. A refusal is handed back, or stays until it is read.
import { answered, client, Refused, saidOf, type Shape } from "$api/client";
import { newId } from "$api/ids";
import { sendPhoto } from "$api/photos";
import { answers } from "$api/queries.svelte";
import { small } from "$kit/picture";
import { toasts } from "$kit/toasts.svelte";
import { words } from "./words";

export type Lookout = Shape["LookoutPage"];
export type Search = Shape["SearchShown"];
export type Told = Omit<Shape["NewLookout"], "id" | "insist" | "drill"> & { drill: boolean };

const at = (district: string, id: string) => ({ path: { id }, query: { district } });

async function done(asking: Promise<unknown>, text: string): Promise<boolean> {
  try {
    await asking;
    if (text) toasts.say(text);
    return true;
  } catch (problem) {
    toasts.refuse(saidOf(problem));
    return false;
  } finally {
    for (const topic of ["lookout", "notice", "matter", "unit"]) answers.happened(topic);
  }
}

export type Opening = { id: string; refusal: string | null; similar: boolean };

/** Begin to look; the same try keeps its ids. A photograph goes after the words. */
export async function open(district: string, id: string, told: Told, insist: boolean, photo: File | null): Promise<Opening> {
  try {
    const body = { ...told, id, insist };
    await answered(client.POST("/api/lookouts", { params: { query: { district } }, body }));
  } catch (problem) {
    const similar = problem instanceof Refused && problem.code === "lookout.similar";
    return { id, refusal: saidOf(problem), similar };
  }
  if (photo) await illustrate(district, id, photo);
  else toasts.say(words.opened);
  for (const topic of ["lookout", "matter"]) answers.happened(topic);
  return { id, refusal: null, similar: false };
}

async function illustrate(district: string, id: string, file: File): Promise<void> {
  try {
    const photo_id = await sendPhoto(district, "lookout", id, await small(file));
    await answered(client.POST("/api/lookouts/{id}/photo", { params: at(district, id), body: { photo_id } }));
    toasts.say(words.opened);
  } catch (problem) {
    toasts.refuse(words.photoFailed(problem instanceof Refused ? problem.words : String(problem)));
  }
}

export const look = (district: string, id: string, place_id: string, kind: "sweep" | "watch"): Promise<boolean> =>
  done(
    answered(
      client.POST("/api/lookouts/{id}/looks", { params: at(district, id), body: { id: newId(), place_id, kind } }),
    ),
    words.noted,
  );

export const askMore = (district: string, id: string, premises_ids: string[]): Promise<boolean> =>
  done(answered(client.POST("/api/lookouts/{id}/ask", { params: at(district, id), body: { premises_ids } })), words.asked);

export function sendUnit(district: string, id: string, unit: { unit_id: string; call_sign: string; place_id: string }, place: string) {
  const body = { id: newId(), unit_id: unit.unit_id, place_id: unit.place_id, text: words.message(place) };
  return done(answered(client.POST("/api/lookouts/{id}/units", { params: at(district, id), body })), words.sentUnit(unit.call_sign));
}

/** Whom to call at a partner; that one has looked is recorded. */
export async function numbersOf(district: string, partner: string): Promise<string> {
  const told = await answered(client.GET("/api/partners/{id}/contact", { params: at(district, partner) }));
  return [told.name, told.phone, told.stand_in, told.stand_in_phone].filter(Boolean).join(" ");
}

/** What a partner said on the telephone. */
export const answerFor = (district: string, notice: string, partner_id: string, answer: "seen" | "not_here") =>
  done(
    answered(
      client.POST("/api/shop/notices/{id}", {
        params: at(district, notice),
        body: { partner_id, answer, looked: answer === "not_here" ? ["floor"] : [] },
      }),
    ),
    words.noted,
  );

export const takeStep = (district: string, id: string, step: string): Promise<boolean> =>
  done(
    answered(
      client.POST("/api/lookouts/{id}/steps", {
        params: at(district, id),
        body: { step: step as Shape["StepTaken"]["step"] },
      }),
    ),
    words.noted,
  );

/** The search ends; answers with the refusal, or null. */
export async function found(district: string, id: string, body: Shape["Finding"]): Promise<string | null> {
  try {
    await answered(client.POST("/api/lookouts/{id}/found", { params: at(district, id), body }));
  } catch (problem) {
    return saidOf(problem);
  }
  toasts.say(words.foundNow);
  for (const topic of ["lookout", "notice", "matter", "unit"]) answers.happened(topic);
  return null;
}

export const lostAgain = (district: string, id: string): Promise<boolean> =>
  done(
    answered(client.POST("/api/lookouts/{id}/lost-again", { params: at(district, id), body: { notice_id: newId() } })),
    words.lostAgainNow,
  );

export const vouch = (district: string, id: string, seen: boolean, document_seen: boolean): Promise<boolean> =>
  done(
    answered(client.POST("/api/lookouts/{id}/vouch", { params: at(district, id), body: { answered: seen, document_seen } })),
    words.noted,
  );

export const refuse = (district: string, id: string): Promise<boolean> =>
  done(answered(client.POST("/api/lookouts/{id}/refuse", { params: at(district, id) })), words.refusedNow);

export const release = (district: string, id: string, signed: boolean): Promise<boolean> =>
  done(answered(client.POST("/api/lookouts/{id}/release", { params: at(district, id), body: { signed } })), words.releasedNow);

export const end = (district: string, id: string, outcome: string): Promise<boolean> =>
  done(answered(client.POST("/api/lookouts/{id}/close", { params: at(district, id), body: { outcome } })), words.ended);

export const erase = (district: string, id: string): Promise<boolean> =>
  done(answered(client.POST("/api/lookouts/{id}/erase", { params: at(district, id) })), words.erased);

export const who = (district: string, id: string) =>
  answered(client.GET("/api/lookouts/{id}/who", { params: at(district, id) }));
export const contact = (district: string, id: string) =>
  answered(client.GET("/api/lookouts/{id}/contact", { params: at(district, id) }));
export const receipt = (district: string, id: string) =>
  answered(client.GET("/api/lookouts/{id}/receipt", { params: at(district, id) }));
