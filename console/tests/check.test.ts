import { describe, expect, test } from "vitest";
import { language } from "$kit/i18n.svelte";
import { remedyOf, stateOf, tally } from "../desk/src/check/remedies";
import { words } from "../desk/src/check/words";

describe("the check", () => {
  test("a state we do not know is not called well", () => {
    expect(["ok", "warn", "fail", "new"].map(stateOf)).toEqual(["ok", "warn", "fail", "warn"]);
    expect(tally([{ state: "ok" }, { state: "fail" }, { state: "?" }])).toEqual({ ok: 1, warn: 1, fail: 1 });
  });
  test("every point says in both languages what to do, and offers a way to do it", () => {
    for (const spoken of ["zh", "en"] as const) {
      language.choose(spoken);
      for (const [name, told] of Object.entries(words.points)) {
        expect(told.mend.length, name).toBeGreaterThan(10);
        expect(Object.keys(remedyOf(name)).length, name).toBeGreaterThan(0);
      }
    }
  });
});
