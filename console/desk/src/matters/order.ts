// The order of the queue, and how it changes without moving what somebody is about to touch.

export type Waiting = {
  id: string;
  priority: number;
  state: string;
  opened_at: string;
  shelved_until?: string | null;
};

/** Whether an alarm is put aside for a time. */
export const isShelved = (matter: Waiting, now_ms: number): boolean =>
  matter.shelved_until != null && Date.parse(matter.shelved_until) > now_ms;

const rank = (matter: Waiting): number => (matter.state === "open" ? 0 : matter.state === "acknowledged" ? 1 : 2);

/** Most urgent first; at the same priority those nobody has acknowledged, then the oldest. */
export function byUrgency(a: Waiting, b: Waiting): number {
  return a.priority - b.priority || rank(a) - rank(b) || a.opened_at.localeCompare(b.opened_at);
}

export type Arranged<M extends Waiting> = {
  /** What is shown, in the order that is shown. */
  rows: M[];
  /** How many wait behind the "new" bar. */
  newCount: number;
  /** Whether anything would move if the list were let go. */
  held: boolean;
};

/** The rows to show. While `held`, rows stay where they are: new ones wait, those that went stay as done. */
export function arranged<M extends Waiting>(
  shown: readonly M[],
  fresh: readonly M[],
  hold: boolean,
  done: (matter: M) => M,
): Arranged<M> {
  const sorted = [...fresh].sort(byUrgency);
  if (!hold) return { rows: sorted, newCount: 0, held: false };
  const now = new Map(fresh.map((matter) => [matter.id, matter]));
  const before = new Set(shown.map((matter) => matter.id));
  const rows = shown.map((matter) => now.get(matter.id) ?? done(matter));
  const newCount = sorted.filter((matter) => !before.has(matter.id)).length;
  const same = rows.length === sorted.length && rows.every((row, index) => row.id === sorted[index]?.id);
  return { rows, newCount, held: !same };
}
