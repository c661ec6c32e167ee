import { beforeEach, describe, expect, test } from "vitest";
import { toasts, type About } from "$kit/toasts.svelte";

const unit = (id: string): About => ({ key: id, named: id.toUpperCase(), person: true, link: { href: `/?unit=${id}`, text: "open" } });
const incident = (n: number): About => ({ key: `i${n}`, named: String(n), person: false, link: { href: `/?matter=${n}`, text: "open" } });
const shown = (list: typeof toasts.shown) => list.map((one) => `${one.text} ${one.about?.named ?? ""}`.trim());

describe("what must not go unheard", () => {
  beforeEach(() => toasts.shown.forEach((one) => toasts.dismiss(one.id)));

  test("is pushed out by nothing, whether it leads somewhere or not", () => {
    toasts.alarm("nobody left", { key: "x", named: "", person: false });
    toasts.alarm("not back", unit("u7"));
    for (let n = 0; n < 59; n++) toasts.alarm("rung missed", incident(n));
    for (const text of ["a", "b", "c"]) toasts.say(text);
    expect(shown(toasts.shown)).toContain("nobody left");
    expect(shown(toasts.few)).toEqual(["rung missed 57", "rung missed 58", "not back U7", "b", "c"]);
    expect(toasts.shown.length - toasts.few.length).toBe(58);
  });
  test("pushes out nothing that can still be undone", () => {
    toasts.say("done", () => {});
    for (let n = 0; n < 9; n++) toasts.alarm("rung missed", incident(n));
    expect(shown(toasts.few)).toContain("done");
  });
  test("of one incident or unit is one message that says all of it once", () => {
    for (const text of ["silent", "not back", "silent"]) toasts.alarm(text, unit("u7"));
    expect(shown(toasts.shown)).toEqual(["silent not back U7"]);
  });
});
