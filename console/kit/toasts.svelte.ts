// Short messages about what the person just did. They go after a while, except refusals, which wait to be read.
// What can be taken back can be for ten seconds.

export type Toast = { id: number; text: string; wrong: boolean; undo: (() => void) | null; until_ms: number };

const LASTS_MS = 5000;
export const UNDO_MS = 10_000;

class Toasts {
  shown = $state.raw<Toast[]>([]);
  #next = 1;

  say(text: string, undo: (() => void) | null = null): void {
    const lasts_ms = undo ? UNDO_MS : LASTS_MS;
    const id = this.#add({ text, wrong: false, undo, until_ms: performance.now() + lasts_ms });
    setTimeout(() => this.dismiss(id), lasts_ms);
  }

  refuse(text: string): void {
    this.#add({ text, wrong: true, undo: null, until_ms: Infinity });
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
    this.shown = [...this.shown.filter((toast) => toast.text !== told.text).slice(-1), { id, ...told }];
    return id;
  }
}

export const toasts = new Toasts();
