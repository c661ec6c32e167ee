// Short messages about what the person just did. They go after a while, except refusals, which wait to be read.
// What can be taken back can be for ten seconds. Alarms stay until somebody has seen them, and nothing pushes them out.

/** Where a message leads to, and how that is called. */
export type Link = { href: string; text: string };
/** What an alarm is about: alarms about one thing are one message. Those about people stand before the others. */
export type About = { key: string; named: string; person: boolean; link?: Link | undefined };
export type Toast = { id: number; text: string; wrong: boolean; undo: (() => void) | null; until_ms: number; about?: About };

const LASTS_MS = 5000;
export const UNDO_MS = 10_000;
/** How many are in sight before somebody asks for all. */
const FEW = 5;
const rank = ({ about }: Toast): number => (about ? Number(about.person) : 2);

class Toasts {
  /** Alarms first, those about people after the others: the end is what stays in sight. */
  shown = $state.raw<Toast[]>([]);
  #next = 1;

  get few(): Toast[] {
    return this.shown.slice(-FEW);
  }

  say(text: string, undo: (() => void) | null = null, lasts_ms = undo ? UNDO_MS : LASTS_MS): void {
    const id = this.#add({ text, wrong: false, undo, until_ms: performance.now() + lasts_ms });
    setTimeout(() => this.dismiss(id), lasts_ms);
  }

  refuse(text: string): void {
    this.#add({ text, wrong: true, undo: null, until_ms: Infinity });
  }

  alarm(text: string, about: About): void {
    const known = this.shown.find((toast) => toast.about?.key === about.key);
    if (known) this.dismiss(known.id);
    const said = known?.text.includes(text) ? known.text : [known?.text, text].filter(Boolean).join(" ");
    this.#add({ text: said, wrong: true, undo: null, until_ms: Infinity, about });
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

  /** What is said pushes out what was said before the last; an alarm pushes out nothing. */
  #add(told: Omit<Toast, "id">): number {
    const id = this.#next++;
    const kept = this.shown.filter((toast) => toast.about || told.about);
    const said = this.shown.filter((toast) => !toast.about && !told.about && toast.text !== told.text).slice(-1);
    this.shown = [...kept, ...said, { id, ...told }].sort((a, b) => rank(a) - rank(b));
    return id;
  }
}

export const toasts = new Toasts();
