// What the desk does to send units, and on the boards. A refusal that asks a person comes back as a question.
import { answered, client, Refused, saidOf, type Shape } from "$api/client";
import { newId } from "$api/ids";
import { answers } from "$api/queries.svelte";
import { toasts } from "$kit/toasts.svelte";
import { words } from "./words";

export type Advice = Shape["AdviceShown"];
export type Assignment = Shape["AssignmentShown"];
export type Board = Shape["BoardShown"];
export type State = keyof typeof words.states;
export type Next = "moving" | "on_scene" | "done";

const LIVE: readonly string[] = ["offered", "accepted", "moving", "on_scene"];
export const NEXT: Partial<Record<State, Next>> = { accepted: "moving", moving: "on_scene", on_scene: "done" };
export const isLive = (one: Assignment) => LIVE.includes(one.state);

const ASKS: readonly string[] = ["unit.preempts", "unit.not_free", "unit.looks_only"];
const at = (district: string, id: string) => ({ path: { id }, query: { district } });

async function done(asking: Promise<unknown>, topic: string, text: string): Promise<boolean> {
  try {
    await asking;
  } catch (problem) {
    toasts.refuse(saidOf(problem));
    answers.happened(topic);
    return false;
  }
  toasts.say(text);
  answers.happened(topic);
  return true;
}

/** Ask a unit to go. What a person must confirm first is answered as a question; null when there is none. */
export async function send(
  district: string,
  incident: string,
  unit: { id: string; call_sign: string },
  expected_s: number | null,
  insist = false,
): Promise<string | null> {
  const body = { id: newId(), unit_id: unit.id, expected_s, onward: true, insist };
  try {
    await answered(client.POST("/api/incidents/{id}/assignments", { params: at(district, incident), body }));
    toasts.say(words.sentNow(unit.call_sign));
  } catch (problem) {
    if (problem instanceof Refused && ASKS.includes(problem.code)) return problem.words;
    toasts.refuse(saidOf(problem));
  }
  answers.happened("assignment");
  return null;
}

export async function circle(district: string, incident: string, radius_m: number): Promise<void> {
  const body = { id: newId(), radius_m };
  try {
    const asked = await answered(
      client.POST("/api/incidents/{id}/circle", { params: at(district, incident), body }),
    );
    toasts.say(words.circled(asked.length));
  } catch (problem) {
    toasts.refuse(saidOf(problem));
  }
  answers.happened("assignment");
}

/** What a unit said on the radio. */
export function answerFor(district: string, one: Assignment, sign: string): Promise<boolean> {
  const body = { accepted: true, reason: "" as const, words: "" };
  const asking = client.POST("/api/assignments/{id}/answer", { params: at(district, one.id), body });
  return done(answered(asking), "assignment", words.stepNow(sign, words.states.accepted));
}

export function step(district: string, one: Assignment, to: Next, sign: string): Promise<boolean> {
  const body = { id: newId(), step: to };
  const asking = client.POST("/api/assignments/{id}/steps", { params: at(district, one.id), body });
  return done(answered(asking), "assignment", words.stepNow(sign, words.states[to]));
}

export function standDown(district: string, one: Assignment, sign: string, why: string): Promise<boolean> {
  const asking = client.POST("/api/assignments/{id}/stand-down", {
    params: at(district, one.id),
    body: { words: why },
  });
  return done(answered(asking), "assignment", words.stoodDownNow(sign));
}

export function command(district: string, incident: string, commander_id: string, reason: string): Promise<boolean> {
  const body = { commander_id, reason };
  const asking = client.POST("/api/incidents/{id}/command", { params: at(district, incident), body });
  return done(answered(asking), "command", words.commandNow);
}

export type Told = Omit<Shape["NewMessage"], "id">;

/** Say something; the refusal, or null when it is sent. The same try keeps its id. */
export async function say(district: string, id: string, told: Told): Promise<string | null> {
  try {
    await answered(client.POST("/api/messages", { params: { query: { district } }, body: { id, ...told } }));
  } catch (problem) {
    return saidOf(problem);
  }
  answers.happened("message");
  return null;
}

export function read(district: string, message: string): void {
  const asking = client.POST("/api/messages/{id}/read", { params: at(district, message), body: {} });
  void answered(asking).catch(() => null);
}

export function callRoll(district: string, answer_within_s: number, drill: boolean): Promise<boolean> {
  const body = { id: newId(), answer_within_s, drill };
  const asking = client.POST("/api/roll-calls", { params: { query: { district } }, body });
  return done(answered(asking), "rollcall", words.rollCalled);
}

export function presentFor(district: string, call: string, unit_id: string, sign: string): Promise<boolean> {
  const body = { id: newId(), unit_id, words: "" };
  const asking = client.POST("/api/roll-calls/{id}/answer", { params: at(district, call), body });
  return done(answered(asking), "rollcall", words.presentNow(sign));
}

export function backFor(district: string, timer: string, sign: string): Promise<boolean> {
  const asking = client.POST("/api/lone/{id}/end", { params: at(district, timer), body: {} });
  return done(answered(asking), "lone", words.backNow(sign));
}
