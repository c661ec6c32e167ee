// Giving the district's document out, and letting a file replace it.
import { answered, client, Refused, type Shape } from "$api/client";
import { answers } from "$api/queries.svelte";
import * as ask from "$api/questions";
import { session } from "$api/session.svelte";
import type { Both } from "$kit/i18n.svelte";
import { toasts } from "$kit/toasts.svelte";
import { refusalOf } from "../acts";
import { textOf } from "./document";
import { words } from "./words";

export type Problem = Both & { line: number; feature: string | null; error: string };
export type Refusal = { file: string; said: string; problems: Problem[]; count: number };
export type Sent = { name: string; bytes: Blob };

const TYPE = "application/geo+json";

/** Every problem the server found, or the one line it could not read past. */
export function problemsOf(problem: unknown): { problems: Problem[]; count: number } {
  const details = problem instanceof Refused ? problem.details : {};
  const { problems, problem_count: count, line } = details;
  if (Array.isArray(problems))
    return { problems, count: typeof count === "number" ? count : problems.length };
  if (!(problem instanceof Refused) || typeof line !== "number") return { problems: [], count: 0 };
  return { problems: [{ line, feature: null, error: problem.code, ...problem.both }], count: 1 };
}

/** Let the file replace the district's place; what was refused, or null when it was taken. */
export async function replacePlace(district: string, { name, bytes }: Sent): Promise<Refusal | null> {
  let taken: Shape["PlaceTaken"];
  try {
    taken = await answered(
      client.PUT("/api/place", {
        params: { query: { district } },
        headers: { "Content-Type": TYPE },
        body: {} as never,
        bodySerializer: () => bytes,
      }),
    );
  } catch (problem) {
    return { file: name, said: refusalOf(problem), ...problemsOf(problem) };
  }
  toasts.say(words.taken(taken.zones, taken.gates, taken.version));
  answers.happened("place");
  await session.recall().catch(() => undefined);
  return null;
}

/** Hand the document over as a file of the browser's downloads. */
export async function download(district: Shape["DistrictShown"]): Promise<string | null> {
  try {
    const text = textOf(await ask.place(district.id).ask());
    const address = URL.createObjectURL(new Blob([text], { type: TYPE }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `${district.id}-${district.version}.geojson`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    return null;
  } catch (problem) {
    return refusalOf(problem);
  }
}
