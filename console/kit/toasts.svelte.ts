// Short messages about what the person just did. They go after a while, except refusals, which wait to be read.
// What can be taken back can be for ten seconds.

/** Where a message leads to, and how that is called. */
export type Link = { href: string; text: string };
export type Toast = { id: number; text: string; wrong: boolean; undo: (() => void) | null; until_ms: number; link?: Link | undefined };

const LASTS_MS = 5000;
export const UNDO_MS = 10_000;

class Toasts {
  shown = $state.raw<Toast[]>([]);
  #next = 1;

  say(text: string, undo: (() => void) | null = null, lasts_ms = undo ? UNDO_MS : LASTS_MS): void {
    const id = this.#add({ text, wrong: false, undo, until_ms: performance.now() + lasts_ms });
    setTimeout(() => this.dismiss(id), lasts_ms);
  }

  refuse(text: string, link?: Link): void {
    this.#add({ text, wrong: true, undo: null, until_ms: Infinity, link });
  }

  /** Take back what was done last, if it still can be. */
  undo(): void {
    const last = this.shown.findLast((toast) => toast.undo);
    if (!last) return;
    this.dismiss(last.id);
    last.undo?.();
  }

  dismiss(id: number): void {
    this.shown = this.shown.filter((toast) => toast.id !== id);
  }

  #add(told: Omit<Toast, "id">): number {
    const id = this.#next++;
    const others = this.shown.filter((toast) => toast.text !== told.text || toast.link?.href !== told.link?.href);
    this.shown = [...others.filter((toast, n) => toast.link || n === others.length - 1), { id, ...told }];
    return id;
  }
}

export const toasts = new Toasts();
