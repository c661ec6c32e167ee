import { describe, expect, test } from "vitest";
import { Formats, stopwatch } from "$kit/formats";

const zh = new Formats("zh", "Asia/Shanghai");
const en = new Formats("en", "Europe/Helsinki");
const AT = "2024-12-31T13:14:07Z";

describe("figures and instants", () => {
  test("a clock shows the district's time, not the browser's", () => {
    expect(zh.clock(AT)).toBe("21:14:07");
    expect(en.clock(AT)).toBe("15:14:07");
    expect(zh.minute("2024-12-31T16:00:00Z")).toBe("00:00");
  });
  test("a day is said in the reader's language", () => {
    expect(zh.day(AT)).toContain("12月31日");
    expect(en.day(AT)).toContain("Dec");
  });
  test("what is not known is a dash, never zero", () => {
    expect(zh.number(null, 1)).toBe("–");
    expect(zh.number(Number.NaN)).toBe("–");
    expect(zh.signed(undefined)).toBe("–");
    expect(zh.compact(null)).toBe("–");
  });
  test("a change always shows its sign", () => {
    expect(en.signed(0.44, 1)).toBe("+0.4");
    expect(en.signed(-0.44, 1)).toBe("−0.4");
    expect(en.signed(0, 1)).toBe("0.0");
  });
  test("large figures are short in both languages", () => {
    expect(zh.compact(267_000)).toBe("26.7万");
    expect(en.compact(267_000).toLowerCase()).toBe("267k");
  });
  test("a span is said in words", () => {
    expect(en.span(192)).toBe("3 min 12 s");
    expect(zh.span(192)).toBe("3 分 12 秒");
    expect(zh.span(300)).toBe("5 分钟");
    expect(en.span(7500)).toBe("2 h 5 min");
  });
  test("an age has tenths below ten seconds", () => {
    expect(en.age(0.44)).toBe("0.4 s");
    expect(en.age(27)).toBe("27 s");
  });
  test("a stopwatch counts through the hour and below zero", () => {
    expect(stopwatch(192)).toBe("3:12");
    expect(stopwatch(3600)).toBe("1:00:00");
    expect(stopwatch(-61)).toBe("−1:01");
    expect(stopwatch(0)).toBe("0:00");
  });
});
