// Two languages, complete in both. A feature's words are one object per language; a word missing from either is
// a compile error, because English must have exactly the shape of Chinese.

export type Language = "zh" | "en";
export type Both = { zh: string; en: string };

type Words = { [key: string]: string | ((...values: never[]) => string) | Words };
type Same<Z extends Words> = {
  [K in keyof Z]: Z[K] extends (...values: infer V) => string
    ? (...values: V) => string
    : Z[K] extends Words
      ? Same<Z[K]>
      : string;
};

const KEPT = "anshang.language";

class Choice {
  current = $state<Language>("zh");

  choose(language: Language): void {
    this.current = language;
    if (typeof document === "undefined") return;
    document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
    localStorage.setItem(KEPT, language);
  }

  /** The language chosen here last, else the browser's, else Chinese. */
  recall(): void {
    const kept = localStorage.getItem(KEPT);
    const browser = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
    this.choose(kept === "zh" || kept === "en" ? kept : kept === null && navigator.language ? browser : "zh");
  }
}

export const language = new Choice();

/** The words of a feature; reading one follows the chosen language. */
export function dictionary<const Z extends Words>(zh: Z, en: Same<Z>): Same<Z> {
  const chosen = () => (language.current === "zh" ? zh : en) as Same<Z>;
  return new Proxy({} as Same<Z>, {
    get: (_target, key) => Reflect.get(chosen(), key),
    has: (_target, key) => Reflect.has(chosen(), key),
    ownKeys: () => Reflect.ownKeys(chosen()),
  });
}

/** The text of a value that the server holds in both languages. */
export const said = (text: Both): string => text[language.current];
