// The keys of the console. They never fire while somebody types or composes with an input method, nor behind an
// open dialog, and can be turned off (WCAG 2.1.4).
import { untrack } from "svelte";

export type Key = {
  /** As KeyboardEvent.key, lower case; "mod+k" with Ctrl or Command. */
  press: string;
  says: () => string;
  run: () => void;
};

type Pressed = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "isComposing" | "keyCode">;

const COMPOSING = 229;
const KEPT = "anshang.keys";

/** What was pressed, in the words of `Key.press`; null when it is not ours to act on. */
export function pressed(event: Pressed, typing: boolean, on: boolean): string | null {
  if (event.isComposing || event.keyCode === COMPOSING || event.key === "Process") return null;
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) return event.altKey ? null : `mod+${key}`;
  if (event.altKey) return null;
  if (typing) return null;
  return on || key === "escape" || key === "enter" ? key : null;
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));

class Keys {
  on = $state(true);
  // What a key does must not depend on when the page was last drawn: the list itself is no state, only its edition.
  #bound: readonly Key[] = [];
  #edition = $state(0);
  readonly all = $derived.by(() => {
    void this.#edition;
    return this.#bound;
  });

  start(): void {
    this.on = localStorage.getItem(KEPT) !== "off";
    addEventListener("keydown", (event) => this.#down(event));
  }

  turn(on: boolean): void {
    this.on = on;
    localStorage.setItem(KEPT, on ? "on" : "off");
  }

  /** Bind keys until the returned function is called; the latest binding of a key wins. */
  bind(keys: Key[]): () => void {
    this.#put([...this.#bound, ...keys]);
    return () => this.#put(this.#bound.filter((key) => !keys.includes(key)));
  }

  #put(bound: readonly Key[]): void {
    this.#bound = bound;
    this.#edition += 1;
  }

  #down(event: KeyboardEvent): void {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const press = pressed(event, isTyping(event.target), this.on);
    if (press === null) return;
    const onControl = event.target instanceof Element && event.target.closest("button, a, summary");
    if (press === "enter" && onControl) return;
    const key = this.#bound.findLast((bound) => bound.press === press);
    if (!key) return;
    event.preventDefault();
    key.run();
  }
}

export const keys = new Keys();

/** Bind keys for as long as the calling component stands. */
export function useKeys(bound: Key[]): void {
  $effect(() => untrack(() => keys.bind(bound)));
}
