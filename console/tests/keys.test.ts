import { describe, expect, test } from "vitest";
import { pressed } from "$kit/keys.svelte";

const down = (key: string, more: Partial<KeyboardEvent> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  isComposing: false,
  keyCode: 0,
  ...more,
});

describe("keys", () => {
  test("never fire while an input method composes", () => {
    expect(pressed(down("j", { isComposing: true }), false, true)).toBeNull();
    expect(pressed(down("Process", { keyCode: 229 }), false, true)).toBeNull();
    expect(pressed(down("j", { keyCode: 229 }), false, true)).toBeNull();
    expect(pressed(down("k", { isComposing: true, ctrlKey: true }), false, true)).toBeNull();
  });
  test("never fire while somebody types, except with Ctrl", () => {
    expect(pressed(down("j"), true, true)).toBeNull();
    expect(pressed(down("k", { ctrlKey: true }), true, true)).toBe("mod+k");
    expect(pressed(down("k", { metaKey: true }), true, true)).toBe("mod+k");
  });
  test("can be turned off, and Esc still goes back", () => {
    expect(pressed(down("j"), false, false)).toBeNull();
    expect(pressed(down("Escape"), false, false)).toBe("escape");
  });
  test("fire for a plain key, whatever its case", () => {
    expect(pressed(down("J"), false, true)).toBe("j");
    expect(pressed(down("?"), false, true)).toBe("?");
    expect(pressed(down("j", { altKey: true }), false, true)).toBeNull();
  });
});
