import { describe, expect, test } from "vitest";
import { Refused } from "$api/client";
import type { Place, ZoneFeature } from "$api/place";
import type { JournalEntry, LevelRule } from "$api/questions";
import { language } from "$kit/i18n.svelte";
import { refusalOf } from "../desk/src/admin/acts";
import { waitingIn, withNewest } from "../desk/src/admin/journal/pages";
import { aboutOf, actorName, detailsOf } from "../desk/src/admin/journal/telling";
import { draftOf, exceptions, faultsOf, numbersOf, underlying } from "../desk/src/admin/levels/rules";
import { problemsOf } from "../desk/src/admin/place/acts";
import { countsOf, glanceAt, textOf } from "../desk/src/admin/place/document";
import { fitting, fromPercent, toPercent, urgencyOf } from "../desk/src/admin/sensors/health";

const rule = (applies_to: string, first = 1): LevelRule => ({
  applies_to, own: !applies_to.startsWith("*"), edition: "", rises: [first, 2, 3, 4], falls: [0.8, 1.6, 2.5, 3],
  rise_after_s: [60, 60, 30, 0], fall_after_s: [300, 300, 300, 600],
}); // prettier-ignore
const zone = (id: string, thresholds: { rises: number[]; falls: number[] } | null = null): ZoneFeature => ({
  type: "Feature",
  id,
  geometry: { type: "Polygon", coordinates: [] },
  properties: { kind: "zone", name: { zh: "一", en: "One" }, space: "moving", usable_m2: 10, thresholds },
});

describe("sensors", () => {
  const one = (id: string, state: string) => ({ id, name_zh: "东门", name_en: "East gate", state });
  const all = [one("g01", "ok"), one("g02", "silent"), one("h03", "retired")];

  test("what is in trouble comes first, what is not known before all", () => {
    const states = ["retired", "ok", "silent", "strange"].map((state) => ({ state }));
    expect(states.sort((a, b) => urgencyOf(a) - urgencyOf(b)).map(({ state }) => state)).toEqual([
      "strange", "silent", "ok", "retired",
    ]); // prettier-ignore
  });
  test("are found by code, by either name and by state; retired ones only when asked for", () => {
    const ids = (text: string, state = "", retired = false) =>
      fitting(all, { text, state, retired }).map((found) => found.id);
    expect(ids("")).toEqual(["g01", "g02"]);
    expect(ids("EAST g02")).toEqual(["g02"]);
    expect(ids("东门", "", true)).toEqual(["g01", "g02", "h03"]);
    expect(ids("", "retired")).toEqual(["h03"]);
  });
  test("a share comes back from its percentage as it was", () => {
    const shares = [0.03, 0.07, 0.145, 0.29, 0.999, 1];
    expect(shares.map((share) => fromPercent(toPercent(share)))).toEqual(shares);
  });
});

describe("rules of levels", () => {
  test("only zones that leave their kind of space are exceptions", () => {
    const thresholds = { rises: [0.5, 1, 2, 3], falls: [0.4, 0.8, 1.5, 2] };
    const zones = [zone("z01"), zone("z02", thresholds), zone("z03", thresholds)];
    const found = exceptions(zones, [rule("*moving"), rule("z03", 1.5)]);
    expect(found.map((each) => [each.zone.id, each.own !== null, each.numbers.rises[0]])).toEqual([
      ["z02", false, 0.5],
      ["z03", true, 1.5],
    ]);
    expect(underlying(zones[1]!, [rule("*moving")])?.rise_after_s).toEqual([60, 60, 30, 0]);
  });
  test("a sound rule has no fault; each cell that cannot stand is named", () => {
    const faults = (change: (draft: ReturnType<typeof draftOf>) => void) => {
      const draft = draftOf(rule("*moving"));
      change(draft);
      return [...faultsOf(draft)];
    };
    expect(faults(() => undefined)).toEqual([]);
    expect(faults((draft) => (draft.rises[2] = 2))).toEqual(["rises.2", "falls.2"]);
    expect(faults((draft) => (draft.falls[0] = 1))).toEqual(["falls.0"]);
    expect(faults((draft) => (draft.rise_after_s[3] = -1))).toEqual(["rise_after_s.3"]);
    expect(faults((draft) => (draft.fall_after_s[1] = null))).toEqual(["fall_after_s.1"]);
    expect(faults((draft) => (draft.rises[3] = 13))).toEqual(["rises.3"]);
  });
  test("an edited draft does not touch what it came from, and is not sent while a cell is empty", () => {
    const from = rule("*moving");
    const draft = draftOf(from);
    draft.rises[0] = null;
    expect(from.rises[0]).toBe(1);
    expect(numbersOf(draft)).toBeNull();
  });
});

describe("the district's document", () => {
  const place = {
    type: "FeatureCollection",
    anshang: { district: { id: "d", name: { zh: "街", en: "Street" } } },
    features: [zone("z01"), zone("z02")],
  } as unknown as Place;

  test("is written with a feature on each line, and reads back the same", () => {
    const text = textOf(place);
    expect(JSON.parse(text)).toEqual(place);
    expect(text.split("\n").findIndex((line) => line.includes('"z02"'))).toBe(4);
  });
  test("is looked into before it is sent; what is no document is left to the server", () => {
    expect(glanceAt(textOf(place))).toMatchObject({ district: "d", counts: { zone: 2, gate: 0 } });
    expect(glanceAt("{ bad")).toBeNull();
    expect(glanceAt("null")).toBeNull();
    expect(countsOf([null, 3, {}]).zone).toBe(0);
  });
  test("every problem of a refused file has a line", () => {
    const both = { zh: "不", en: "no" };
    const listed = [{ line: 3, feature: "z01", error: "zone.area", ...both }];
    const many = new Refused(400, "place.malformed", both, { problems: listed, problem_count: 7 });
    expect(problemsOf(many)).toEqual({ problems: listed, count: 7 });
    const torn = new Refused(400, "place.not_json", both, { line: 12, column: 3 });
    const line12 = { line: 12, feature: null, error: "place.not_json", ...both };
    expect(problemsOf(torn).problems).toEqual([line12]);
    expect(problemsOf(new Refused(400, "place.other_district", both))).toEqual({ problems: [], count: 0 });
  });
});

describe("the journal", () => {
  const at = (...seqs: number[]) => seqs.map((seq) => ({ seq }));
  const entry = (kind: string, subject_id: string, details: Record<string, unknown> = {}): JournalEntry => ({
    seq: 1, id: "x", at: "2026-01-01T00:00:00Z", actor_id: "engine", actor_name: "engine",
    kind, subject_id, drill: false, details,
  }); // prettier-ignore
  const id = "01a210b0-a8ec-7890-907d-45d9d6b9b302";
  const naming = { codes: new Map([["z05", "Square"]]), ids: new Map([[id, "Li"]]) };

  test("new entries wait; shown ones stay, and never with a hole between", () => {
    expect(waitingIn(at(9, 8, 7), at(7, 6))).toBe(2);
    expect(withNewest(at(9, 8, 7), at(7, 6, 5))).toEqual(at(9, 8, 7, 6, 5));
    expect(withNewest(at(20, 19), at(7, 6))).toEqual(at(20, 19));
    expect(withNewest(at(2, 1), [])).toEqual(at(2, 1));
    expect(withNewest([], at(2, 1))).toEqual([]);
  });
  test("says what an entry is about and its figures in the reader's language", () => {
    language.current = "en";
    expect(aboutOf(entry("level.crossed", "z05"), naming).text).toBe("Z05 Square");
    const matter = aboutOf(entry("matter.opened", id, { number: 12 }), naming);
    expect(matter).toMatchObject({ text: "Matter 0012", matter: true });
    expect(aboutOf(entry("account.opened", id), naming).text).toBe("Li");
    expect(aboutOf(entry("levels.changed", "*moving"), naming).text).toBe("moving space");
    expect(actorName(entry("level.crossed", "z05"), naming)).toBe("System");
    const crossed = entry("level.crossed", "z05", { people: 1200, from: 1, to: 2, pending: null });
    const told = detailsOf(crossed, naming).map((each) => `${each.name} ${each.value}`);
    expect(told).toEqual(["from 1 attention", "to 2 caution", "people 1,200"]);
    language.current = "zh";
    const failed = entry("sensor.failed", "g1", { reason: "silent", zones: ["z05"] });
    expect(detailsOf(failed, naming)[0]?.value).toBe("失联");
  });
});

test("a refusal names the fields on the form, and says what to do when somebody else was first", () => {
  language.current = "en";
  const both = { zh: "不对", en: "Not well formed." };
  const fields = [{ at: "body.period_s", reason: "x" }];
  const malformed = new Refused(422, "request.malformed", both, { fields });
  expect(refusalOf(malformed, { period_s: "Period" })).toBe("Not well formed. Look at: Period.");
  expect(refusalOf(new Refused(409, "sensors.stale", both))).toContain("still here");
});
