// An entry in words: what it is about, and the figures that belong to it.
import type { JournalEntry } from "$api/questions";
import { reading } from "$kit/reading.svelte";
import { levelName, roleName, words as field } from "$vocabulary/words";
import { kindOf } from "$vocabulary/kinds";
import { words } from "./words";

export type Naming = {
  /** Names of zones, gates and sensors by their codes. */
  codes: ReadonlyMap<string, string>;
  /** Names of accounts, bodies and feeds by their ids. */
  ids: ReadonlyMap<string, string>;
};
export type About = { text: string; id: string; matter: boolean };

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const LEFT_OUT = new Set(["number", "subject", "note", "measure"]);

export const nounOf = (kind: string): string => kind.split(".", 1)[0]!;

/** What happened, in words; a kind we do not know yet is shown as it came. */
export function kindName({ kind, details }: Pick<JournalEntry, "kind" | "details">): string {
  if (kind === "matter.reprioritised" && details["from"] === details["to"]) return words.retold;
  return kindOf(kind);
}
export const nounName = (noun: string): string => words.nouns[noun as keyof typeof words.nouns] ?? noun;

export function actorName(entry: Pick<JournalEntry, "actor_id" | "actor_name">, { ids }: Naming): string {
  const machine = words.actors[entry.actor_id as keyof typeof words.actors];
  return machine ?? ids.get(entry.actor_id) ?? entry.actor_name;
}

/** What the entry is about. */
export function aboutOf(entry: JournalEntry, naming: Naming): About {
  const id = entry.subject_id;
  const noun = nounOf(entry.kind);
  if (noun === "matter" || (noun === "measure" && ID.test(id))) {
    const number = entry.details["number"];
    const text = typeof number === "number" ? words.matter(String(number).padStart(4, "0")) : words.itsMatter;
    return { id, text, matter: true };
  }
  if (id === "*moving" || id === "*standing")
    return { id, text: field.spaces[id === "*moving" ? "moving" : "standing"], matter: false };
  if (!ID.test(id)) return { id, text: coded(id, naming), matter: false };
  const name = naming.ids.get(id) ?? (id === entry.actor_id ? actorName(entry, naming) : undefined);
  return { id, text: name ?? `…${id.slice(-6)}`, matter: false };
}

function coded(code: string, { codes }: Naming): string {
  const name = codes.get(code);
  if (name === undefined) return words.subjects[code as keyof typeof words.subjects] ?? code;
  return `${code.toUpperCase()} ${name}`;
}

/** The details, each with its name and its value as people read it; what the subject says is left out. */
export function detailsOf(entry: JournalEntry, naming: Naming): { name: string; value: string }[] {
  const noun = nounOf(entry.kind);
  const order = Object.keys(words.details);
  return Object.entries(entry.details)
    .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .filter(([name, value]) => value !== null && value !== "" && !LEFT_OUT.has(name))
    .map(([name, value]) => ({
      name: words.details[name as keyof typeof words.details] ?? name,
      value: valueOf(noun, name, value, naming),
    }));
}

function valueOf(noun: string, name: string, value: unknown, naming: Naming): string {
  const { formats } = reading;
  if (Array.isArray(value)) return value.map((one) => valueOf(noun, name, one, naming)).join(words.comma);
  if (typeof value === "boolean") return value ? words.yes : words.no;
  if (typeof value === "string") {
    if (name === "role") return roleName(value);
    return words.values[value as keyof typeof words.values] ?? coded(value, naming);
  }
  if (typeof value !== "number") return JSON.stringify(value);
  if (name.endsWith("_s")) return formats.span(value);
  if (name.endsWith("_share")) return formats.share(value);
  const step = ["from", "to", "pending"].includes(name);
  if (step && noun === "level") return `${value} ${levelName(value)}`;
  if (name === "priority" || (step && noun === "matter")) return `P${value}`;
  return formats.number(value, Number.isInteger(value) ? 0 : 2);
}
