// How the person at this screen reads: the formats of their language in the district's time zone, and the shade.
import { Formats } from "./formats";
import { language } from "./i18n.svelte";

export type Shade = "day" | "night";
export type ShadeChoice = Shade | "auto";

const KEPT = "anshang.shade";

class Reading {
  timeZone = $state("Asia/Shanghai");
  shadeChoice = $state<ShadeChoice>("auto");
  #dark = $state(false);

  readonly formats = $derived(new Formats(language.current, this.timeZone));
  readonly shade = $derived<Shade>(
    this.shadeChoice === "auto" ? (this.#dark ? "night" : "day") : this.shadeChoice,
  );

  /** Take up what was chosen here before, and follow the system while the choice is "auto". */
  recall(): void {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    this.#dark = dark.matches;
    dark.addEventListener("change", () => {
      this.#dark = dark.matches;
      this.#show();
    });
    const kept = localStorage.getItem(KEPT);
    this.chooseShade(kept === "day" || kept === "night" ? kept : "auto");
  }

  chooseShade(choice: ShadeChoice): void {
    this.shadeChoice = choice;
    localStorage.setItem(KEPT, choice);
    this.#show();
  }

  #show(): void {
    document.documentElement.dataset["shade"] = this.shade;
  }
}

export const reading = new Reading();
