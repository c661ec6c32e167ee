// Rows that order themselves by a live figure must not move under the pointer or the focus: while somebody is over
// them they stay in the order they had.

/** The rows in the order of `kept`; those that are new come last. */
export function inKeptOrder<Row extends { id: string }>(rows: readonly Row[], kept: readonly string[]): Row[] {
  const place = new Map(kept.map((id, index) => [id, index]));
  return [...rows].sort((a, b) => (place.get(a.id) ?? kept.length) - (place.get(b.id) ?? kept.length));
}

export class Steady {
  #pointed = $state(false);
  #focused = $state(false);
  #kept: string[] = [];

  get held(): boolean {
    return this.#pointed || this.#focused;
  }

  order<Row extends { id: string }>(sorted: readonly Row[]): readonly Row[] {
    const rows = this.held ? inKeptOrder(sorted, this.#kept) : sorted;
    this.#kept = rows.map((row) => row.id);
    return rows;
  }

  /** Somebody asked for another order: take it even while the pointer is here. */
  letGo(): void {
    this.#kept = [];
  }

  /** Watch the element that holds the rows. */
  watch = (element: HTMLElement): (() => void) => {
    const stopping = new AbortController();
    // A browser also tells this while the page is being changed, when state must not be: hence the microtask.
    const on = (type: string, run: (event: Event) => void) =>
      element.addEventListener(type, (event) => queueMicrotask(() => run(event)), { signal: stopping.signal });
    on("pointerenter", () => (this.#pointed = true));
    on("pointerleave", () => (this.#pointed = false));
    on("focusin", () => (this.#focused = true));
    on("focusout", (event) => {
      const next = (event as FocusEvent).relatedTarget;
      this.#focused = next instanceof Node && element.contains(next);
    });
    return () => stopping.abort();
  };
}
