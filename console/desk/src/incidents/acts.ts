// What is done with incidents. Each says in a toast that it is done; a refusal is handed back, or stays until it
// is read.
import { answered, client, Refused, saidOf, type Shape } from "$api/client";
import { newId } from "$api/ids";
import { answers } from "$api/queries.svelte";
import { toasts } from "$kit/toasts.svelte";
import { words } from "./words";

export type Incident = Shape["IncidentPage"];
export type Category = Shape["CategoryShown"];
export type Step = keyof typeof words.stepNames;
export const STEPS = [
  "call", "answered", "classified", "dispatched", "acknowledged", "moving", "on_scene", "controlled", "cleared",
] as const satisfies readonly Step[]; // prettier-ignore

const TOPIC = "incident";
const at = (district: string, id: string) => ({ path: { id }, query: { district } });

async function done(asking: Promise<unknown>, text: string): Promise<boolean> {
  try {
    await asking;
  } catch (problem) {
    toasts.refuse(saidOf(problem));
    answers.happened(TOPIC);
    return false;
  }
  toasts.say(text);
  answers.happened(TOPIC);
  return true;
}

export type Told = Omit<Shape["NewIncident"], "id">;

/** Report it; the refusal, or null when it is in the queue. The same try keeps its id. */
export async function report(district: string, id: string, told: Told): Promise<string | null> {
  try {
    await answered(client.POST("/api/incidents", { params: { query: { district } }, body: { id, ...told } }));
  } catch (problem) {
    return saidOf(problem);
  }
  answers.happened(TOPIC);
  return null;
}

/** What speaks for a category, another incident, and what the premises have seen; null when it cannot be told. */
export const grounds = (
  district: string,
  text: string,
  place: Shape["Place"],
  signal: AbortSignal,
): Promise<Shape["Grounds"] | null> =>
  answered(
    client.POST("/api/incidents/grounds", { params: { query: { district } }, body: { text, place }, signal }),
  ).catch(() => null);

export function classify(district: string, incident: Incident, category_id: string): Promise<boolean> {
  const body = { category_id, version: incident.version };
  const asking = client.POST("/api/incidents/{id}/classify", { params: at(district, incident.id), body });
  return done(answered(asking), words.classifiedNow);
}

export function question(district: string, incident: Incident, key: string, answer: string): Promise<boolean> {
  const body = { answers: { [key]: answer }, version: incident.version };
  const asking = client.POST("/api/incidents/{id}/answers", { params: at(district, incident.id), body });
  return done(answered(asking), words.kept);
}

export function mark(
  district: string,
  incident: Incident,
  step: Step,
  at_ms: number,
  said: string,
  corrects: string | null = null,
): Promise<boolean> {
  const body = { id: newId(), step, at: new Date(at_ms).toISOString(), corrects };
  const asking = client.POST("/api/incidents/{id}/moments", { params: at(district, incident.id), body });
  return done(answered(asking), words.marked(words.stepNames[step], said));
}

export function repeat(district: string, incident: Incident, other_id: string): Promise<boolean> {
  const body = { id: newId(), other_id, kind: "duplicate" as const };
  const asking = client.POST("/api/incidents/{id}/links", { params: at(district, incident.id), body });
  return done(answered(asking), words.linkedNow);
}

export function offer(district: string, id: string, to_body_id: string, reason: string): Promise<boolean> {
  const body = { id: newId(), to_body_id, reason };
  const asking = client.POST("/api/incidents/{id}/transfers", { params: at(district, id), body });
  return done(answered(asking), words.offered);
}

/** Keep what the other body said, here or on the telephone. */
export function answerOffer(district: string, id: string, accepted: boolean, said: string): Promise<boolean> {
  const body = { accepted, words: said };
  const asking = client.POST("/api/transfers/{id}", { params: at(district, id), body });
  return done(answered(asking), words.answeredNow);
}

const ASKS = "incident.nobody_there";

/** End it: cleared, or cancelled. What a person must confirm first is answered as a question. */
export async function end(
  district: string,
  id: string,
  number: string,
  outcome: string,
  how: "clear" | "cancel",
  insist = false,
): Promise<boolean | string> {
  const read = await answered(client.GET("/api/incidents/{id}", { params: at(district, id) })).catch(() => null);
  const told = { params: at(district, id), body: { outcome, version: read?.version ?? 1, insist } };
  if (how === "cancel") return done(answered(client.POST("/api/incidents/{id}/cancel", told)), words.cancelledNow(number));
  let question: string | null = null;
  const clearing = answered(client.POST("/api/incidents/{id}/clear", told)).catch((problem: unknown) => {
    if (!(problem instanceof Refused) || problem.code !== ASKS) throw problem;
    question = problem.words;
  });
  await clearing.catch(() => null);
  return question ?? done(clearing, words.clearedNow(number));
}

export const reopen = (district: string, id: string): Promise<boolean> =>
  done(answered(client.POST("/api/incidents/{id}/reopen", { params: at(district, id) })), words.reopenedNow);
