// The district's document as a file: written so that a problem's line is its feature's line, and looked into
// before it is sent, so that a person sees what they are about to replace. Whether it is sound the server says.
import type { Place } from "$api/place";

export const KINDS = ["zone", "gate", "walkway", "premises", "post"] as const;
export type Kind = (typeof KINDS)[number];
export type Counts = Record<Kind, number>;
export type Glance = { district: string | null; counts: Counts };

/** The document with one feature on each line. */
export function textOf(place: Place): string {
  const { features, ...members } = place;
  const text = (value: unknown) => JSON.stringify(value);
  const head = Object.entries(members).map(([name, value]) => `${text(name)}:${text(value)}`);
  const lines = features.map(text).join(",\n");
  return `{${head.join(",\n")},\n"features":[\n${lines}\n]}\n`;
}

export function countsOf(features: readonly unknown[]): Counts {
  type Perhaps = { properties?: { kind?: unknown } } | null;
  const kinds = (features as readonly Perhaps[]).map((feature) => feature?.properties?.kind);
  const count = (kind: Kind) => kinds.filter((one) => one === kind).length;
  return Object.fromEntries(KINDS.map((kind) => [kind, count(kind)])) as Counts;
}

/** What a file seems to hold; null when it is no such document, which the server then says in full. */
export function glanceAt(text: string): Glance | null {
  try {
    const told = JSON.parse(text) as { features?: unknown; anshang?: { district?: { id?: unknown } } };
    if (!Array.isArray(told.features)) return null;
    const id = told.anshang?.district?.id;
    return { district: typeof id === "string" ? id : null, counts: countsOf(told.features) };
  } catch {
    return null;
  }
}
