import { describe, expect, test } from "vitest";
import { dictionary, language, said } from "$kit/i18n.svelte";

const words = dictionary(
  { greeting: "你好", count: (n: number) => `${n} 项`, deep: { one: "一" } },
  { greeting: "Hello", count: (n) => `${n} items`, deep: { one: "one" } },
);

describe("two languages", () => {
  test("the words follow the chosen language", () => {
    language.choose("zh");
    expect([words.greeting, words.count(3), words.deep.one]).toEqual(["你好", "3 项", "一"]);
    language.choose("en");
    expect([words.greeting, words.count(3), words.deep.one]).toEqual(["Hello", "3 items", "one"]);
  });
  test("a word missing from English does not compile", () => {
    // @ts-expect-error `two` has no English
    dictionary({ one: "一", two: "二" }, { one: "one" });
    // @ts-expect-error `n` must be taken as a number
    dictionary({ one: (n: number) => `${n}` }, { one: (n: string) => n.trim() });
  });
  test("what the server says in both languages is shown in one", () => {
    language.choose("zh");
    expect(said({ zh: "东门", en: "East door" })).toBe("东门");
  });
});
