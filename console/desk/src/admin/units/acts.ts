// What is done with units, members and the ladder.
import { answered, client, type Shape } from "$api/client";
import { tried } from "../acts";
import { words } from "./words";

export type Unit = Shape["UnitShown"];
export type Staff = Shape["StaffShown"];
export type Skill = NonNullable<Shape["NewMember"]["skills"]>[number];
export type Ladder = Shape["LadderShown"];
type Told = Omit<Shape["NewUnit"], "version">;

const at = (district: string, id: string) => ({ params: { path: { id }, query: { district } } });

export function define(district: string, id: string, told: Told, version: number, onstale: () => void) {
  const asking = client.PUT("/api/units/{id}", { ...at(district, id), body: { ...told, version } });
  return tried(answered(asking), { done: words.kept(told.call_sign), topic: "unit", names: words.fields, onstale });
}

export function retire(district: string, unit: Unit) {
  const asking = client.DELETE("/api/units/{id}", at(district, unit.id));
  return tried(answered(asking), { done: words.retired(unit.call_sign), topic: "unit" });
}

/** `kept` is handed the key that is never shown again. */
export function giveKey(district: string, unit: Unit, kept: (key: string) => void) {
  const asking = answered(client.POST("/api/units/{id}/key", at(district, unit.id))).then(({ key }) => kept(key));
  return tried(asking, { topic: "unit" });
}

export function qualify(district: string, one: Staff, told: Omit<Shape["NewMember"], "version">) {
  const body = { ...told, version: Math.max(1, one.version) };
  const asking = client.PUT("/api/members/{id}", { ...at(district, one.id), body });
  return tried(answered(asking), { done: words.memberKept(one.name), topic: "member" });
}

export function changeLadder(district: string, ladder: Ladder) {
  const body = ladder as Shape["LadderTold"];
  const asking = client.PUT("/api/ladder", { params: { query: { district } }, body });
  return tried(answered(asking), { done: words.ladderKept, topic: "ladder" });
}
