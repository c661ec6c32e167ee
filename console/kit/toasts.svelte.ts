// Short messages about what the person just did. They go after a while, except refusals, which wait to be read.

export type Toast = { id: number; text: string; wrong: boolean };

const LASTS_MS = 5000;

class Toasts {
  shown = $state.raw<Toast[]>([]);
  #next = 1;

  say(text: string): void {
    const id = this.#add(text, false);
    setTimeout(() => this.dismiss(id), LASTS_MS);
  }

  refuse(text: string): void {
    this.#add(text, true);
  }

  dismiss(id: number): void {
    this.shown = this.shown.filter((toast) => toast.id !== id);
  }

  #add(text: string, wrong: boolean): number {
    const id = this.#next++;
    this.shown = [...this.shown.filter((toast) => toast.text !== text).slice(-1), { id, text, wrong }];
    return id;
  }
}

export const toasts = new Toasts();
