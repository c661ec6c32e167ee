// Where the person is, and what is selected, stands in the address: it can be shared, reloaded and gone back from.

type Marks = Record<string, string | null>;

/** The address with some of its marks changed; null removes one. */
export function withMarks(search: string, marks: Marks): string {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(marks)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

class Router {
  path = $state("/");
  search = $state("");
  readonly marks = $derived(new URLSearchParams(this.search));

  /** Follow the browser's address; ordinary clicks on our own links stay in the page. */
  start(): void {
    this.#read();
    addEventListener("popstate", () => this.#read());
    addEventListener("click", (event) => this.#clicked(event));
  }

  mark(name: string): string | null {
    return this.marks.get(name);
  }

  /** Change what is selected here. A selection adds a step to go back to only when `step` is set. */
  set(marks: Marks, step = false): void {
    const search = withMarks(this.search, marks);
    if (search === this.search) return;
    history[step ? "pushState" : "replaceState"](null, "", this.path + search);
    this.#read();
  }

  go(address: string, replace = false): void {
    history[replace ? "replaceState" : "pushState"](null, "", address);
    this.#read();
  }

  #read(): void {
    this.path = location.pathname;
    this.search = location.search;
  }

  #clicked(event: MouseEvent): void {
    const modified = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (modified || event.defaultPrevented || !(event.target instanceof Element)) return;
    const link = event.target.closest("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.pathname.startsWith("/api/") || link.getAttribute("href")?.startsWith("#")) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
