// How anything is sent from here: done is said in a toast; a refusal is handed back to stand beside the form.
// When somebody else was first, what is shown is asked again.
import { Refused, saidOf } from "$api/client";
import { answers } from "$api/queries.svelte";
import { toasts } from "$kit/toasts.svelte";
import { words } from "./words";

type Fault = { at: string };

/** The fields the server found malformed, by their names on the form when they have one. */
export function fieldsOf(details: Record<string, unknown>, names: Record<string, string>): string[] {
  const faults = Array.isArray(details["fields"]) ? (details["fields"] as Fault[]) : [];
  const parts = faults.map((fault) => fault.at.split(".").filter((part) => part !== "body"));
  return [...new Set(parts.map(([field = ""]) => names[field] ?? field).filter(Boolean))];
}

/** What to show of a refusal beside a form. */
export function refusalOf(problem: unknown, names: Record<string, string> = {}): string {
  if (!(problem instanceof Refused)) return saidOf(problem);
  const fields = fieldsOf(problem.details, names);
  if (problem.code.endsWith(".stale")) return `${problem.words}\n${words.staleKept}`;
  return fields.length ? `${problem.words} ${words.lookAt(fields.join(words.comma))}` : problem.words;
}

export const isStale = (problem: unknown): boolean =>
  problem instanceof Refused && problem.code.endsWith(".stale");

export type Trying = {
  /** What to say when it is done; nothing when the screen itself says it. */
  done?: string;
  /** What may have changed then. */
  topic: string;
  /** The fields by the names the form gives them. */
  names?: Record<string, string>;
  /** Somebody else was first, and the person is told: sending again is meant. */
  onstale?: () => void;
};

/** The same from a button without a form: a refusal is said in a toast. */
export async function pressed(asking: Promise<unknown>, trying: Trying): Promise<void> {
  const refusal = await tried(asking, trying);
  if (refusal !== null) toasts.refuse(refusal);
}

/** Null when it was done, the refusal when not. */
export async function tried(
  asking: Promise<unknown>,
  { done, topic, names, onstale }: Trying,
): Promise<string | null> {
  try {
    await asking;
  } catch (problem) {
    if (isStale(problem)) {
      answers.happened(topic);
      onstale?.();
    }
    return refusalOf(problem, names);
  }
  if (done !== undefined) toasts.say(done);
  answers.happened(topic);
  return null;
}
