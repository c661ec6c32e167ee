// The order of the queue, and how it changes without moving the one row that somebody is about to touch.

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

/** Urgent, and nobody has answered it: on top whatever the queue shows, and hidden by no filter. */
export const isPinned = (matter: Waiting): boolean => matter.priority <= 2 && matter.state === "open";

const rank = (matter: Waiting): number => (matter.state === "open" ? 0 : matter.state === "acknowledged" ? 1 : 2);

/** What is pinned, then the most urgent; at the same priority those nobody has acknowledged, then the oldest. */
export function byUrgency(a: Waiting, b: Waiting): number {
  return (
    Number(isPinned(b)) - Number(isPinned(a)) ||
    a.priority - b.priority ||
    rank(a) - rank(b) ||
    a.opened_at.localeCompare(b.opened_at)
  );
}

/** The rows to show, by urgency. Only the row under the pointer keeps its place, as done when it was closed. */
export function arranged<M extends Waiting>(
  shown: readonly M[],
  fresh: readonly M[],
  pointed: string | null,
  done: (matter: M) => M,
): M[] {
  const place = shown.findIndex((matter) => matter.id === pointed);
  const rows = fresh.filter((matter) => place < 0 || matter.id !== pointed).sort(byUrgency);
  if (place >= 0) rows.splice(place, 0, fresh.find((matter) => matter.id === pointed) ?? done(shown[place]!));
  return rows;
}
