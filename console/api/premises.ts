// Premises by the name that somebody types: in either language, in capitals or not.
import type { PremisesFeature } from "./place";

const plain = (name: string): string => name.trim().normalize("NFKC").replace(/\s+/g, " ").toLowerCase();

/** The premises of that name: of several those in the zone. `several` when more than one is left. */
export function premisesNamed(
  all: readonly PremisesFeature[],
  typed: string,
  zone: string | null,
): { one: PremisesFeature | undefined; several: boolean } {
  const wanted = plain(typed);
  if (!wanted) return { one: undefined, several: false };
  const named = all.filter(({ properties: { name } }) => [name.zh, name.en].some((each) => plain(each) === wanted));
  const within = named.filter((each) => zone !== null && each.properties.zone === zone);
  const left = within.length ? within : named;
  return { one: left.length === 1 ? left[0] : undefined, several: left.length > 1 };
}
