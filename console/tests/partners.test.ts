import { expect, test } from "vitest";
import { language } from "$kit/i18n.svelte";
import { words } from "../desk/src/partners/words";

test("an undone order says of each unit whether it is called back or had finished", () => {
  language.current = "en";
  expect(words.left(["K1"], ["K2", "K3"], 0, 0)).toBe(" K1 had set off and is called back. K2, K3 had finished already.");
  language.current = "zh";
  expect(words.left(["K1"], ["K2"], 0, 0)).toBe("K1 已出发，已通知返回。K2 此前已处置完毕。");
});
