// What a person does with matters. Each says in a toast that it is done; a refusal stays until it is read.
import { answered, client, saidOf, type Shape } from "$api/client";
import { newId } from "$api/ids";
import { answers } from "$api/queries.svelte";
import { session } from "$api/session.svelte";
import { toasts } from "$kit/toasts.svelte";
import { words } from "./words";

export type Matter = Shape["MatterShown"];
export type Priority = 1 | 2 | 3 | 4;

export const numberOf = (matter: { number: number }): string => String(matter.number).padStart(4, "0");

/** `undo` takes it back; it says null where there is nothing of one's own to take back. */
type Undo<T> = (after: T) => (() => Promise<boolean>) | null;

async function done<T>(asking: Promise<T>, text: string, undo?: Undo<T>): Promise<boolean> {
  let after: T;
  try {
    after = await asking;
  } catch (problem) {
    toasts.refuse(saidOf(problem));
    answers.happened("matter");
    return false;
  }
  const back = undo?.(after) ?? null;
  toasts.say(text, back && (() => void back()));
  answers.happened("matter");
  return true;
}

const at = (district: string, { id }: Matter) => ({ path: { id }, query: { district } });

export const acknowledge = (district: string, matter: Matter): Promise<boolean> =>
  done(
    answered(client.POST("/api/matters/{id}/acknowledge", { params: at(district, matter) })),
    words.acknowledgedNow(numberOf(matter)),
    (after) => (after.acknowledged_by === session.account?.id ? () => release(district, matter) : null),
  );

export const release = (district: string, matter: Matter): Promise<boolean> =>
  done(
    answered(client.POST("/api/matters/{id}/release", { params: at(district, matter) })),
    words.releasedNow(numberOf(matter)),
  );

export function addNote(district: string, matter: Matter, text: string): Promise<boolean> {
  const body = { id: newId(), text };
  return done(answered(client.POST("/api/matters/{id}/notes", { params: at(district, matter), body })), words.noted);
}

export function close(district: string, matter: Matter, outcome: string): Promise<boolean> {
  const body = { outcome, version: matter.version };
  const asking = client.POST("/api/matters/{id}/close", { params: at(district, matter), body });
  return done(answered(asking), words.closedNow(numberOf(matter)), () => () => unclose(district, matter));
}

/** Open again what was just closed; whoever had it and closed it has it again. */
async function unclose(district: string, matter: Matter): Promise<boolean> {
  const opened = await reopen(district, matter);
  const mine = matter.acknowledged_by !== null && matter.acknowledged_by === session.account?.id;
  return opened && mine ? acknowledge(district, matter) : opened;
}

export function reprioritise(district: string, matter: Matter, priority: Priority): Promise<boolean> {
  const body = { priority, version: matter.version };
  const asking = client.POST("/api/matters/{id}/priority", { params: at(district, matter), body });
  return done(answered(asking), words.prioritised(priority), (after) => () =>
    reprioritise(district, after, matter.priority as Priority),
  );
}

export const reopen = (district: string, matter: Matter): Promise<boolean> =>
  done(
    answered(client.POST("/api/matters/{id}/reopen", { params: at(district, matter) })),
    words.reopened(numberOf(matter)),
  );

/** The refusal, or null when it is put aside; the same try keeps its id. */
export async function shelve(
  district: string,
  matter: Matter,
  note_id: string,
  until: Date,
  reason: string,
): Promise<string | null> {
  const body = { note_id, until: until.toISOString(), reason };
  try {
    await answered(client.POST("/api/matters/{id}/shelve", { params: at(district, matter), body }));
  } catch (problem) {
    return saidOf(problem);
  }
  toasts.say(words.shelvedNow(numberOf(matter)));
  answers.happened("matter");
  return null;
}

export const unshelve = (district: string, matter: Matter): Promise<boolean> =>
  done(
    answered(client.POST("/api/matters/{id}/unshelve", { params: at(district, matter) })),
    words.unshelvedNow(numberOf(matter)),
  );

export function openMatter(
  district: string,
  told: { kind: "request" | "note"; priority: Priority; text: string; zone_id: string | null },
): Promise<boolean> {
  const body = { id: newId(), ...told };
  return done(answered(client.POST("/api/matters", { params: { query: { district } }, body })), words.opened);
}
