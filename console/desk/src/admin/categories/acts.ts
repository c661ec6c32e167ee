// What is done with categories, and their lists as lines of text and back.
import { answered, client, type Shape } from "$api/client";
import { tried } from "../acts";
import { words } from "./words";

export type Category = Shape["CategoryShown"];
export type Told = Shape["CategoryTold"];
type Question = NonNullable<Told["questions"]>[number];
type ActionStep = NonNullable<Told["steps"]>[number];

const ANSWERS: readonly string[] = ["yes_no", "number", "text"];
export const TASKS = Object.keys(words.tasks) as (keyof typeof words.tasks)[];

const partsOf = (line: string) => line.split("|").map((part) => part.trim());
const linesOf = (text: string) => text.split("\n").map((line) => line.trim()).filter(Boolean);

export class BadLine extends Error {}

export const questionLines = (all: readonly Question[]) =>
  all.map((one) => [one.key, one.zh, one.en, one.answer ?? "yes_no"].join(" | ")).join("\n");

export const stepLines = (all: readonly ActionStep[]) =>
  all.map((one) => [one.zh, one.en, ...(one.doer === "police" ? ["police"] : [])].join(" | ")).join("\n");

export function readQuestions(text: string): Question[] {
  return linesOf(text).map((line) => {
    const [key, zh, en, answer = "yes_no"] = partsOf(line);
    if (!key || !/^[a-z_]+$/.test(key) || !zh || !en || !ANSWERS.includes(answer)) throw new BadLine(line);
    return { key, zh, en, answer: answer as "yes_no" | "number" | "text" };
  });
}

export function readSteps(text: string): ActionStep[] {
  return linesOf(text).map((line) => {
    const [zh, en, doer = "anybody"] = partsOf(line);
    if (!zh || !en || !["anybody", "police"].includes(doer)) throw new BadLine(line);
    return { zh, en, doer: doer as "anybody" | "police" };
  });
}

export const readWords = linesOf;

export function define(district: string, id: string, told: Told, name: string): Promise<string | null> {
  const params = { path: { id }, query: { district } };
  const asking = client.PUT("/api/incident-categories/{id}", { params, body: told });
  return tried(answered(asking), { done: words.kept(name), topic: "category", names: words.fields });
}

export function retire(district: string, id: string, name: string): Promise<string | null> {
  const params = { path: { id }, query: { district } };
  const asking = client.DELETE("/api/incident-categories/{id}", { params });
  return tried(answered(asking), { done: words.retiredNow(name), topic: "category" });
}
