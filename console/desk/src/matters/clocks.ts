// The clock of a matter that people watch: the next one that has not been met.

export type Clock = { kind: string; due_at: string; met_at: string | null };

export function nextClock<C extends Clock>(clocks: readonly C[]): C | null {
  const running = clocks.filter((clock) => clock.met_at === null);
  return running.sort((a, b) => a.due_at.localeCompare(b.due_at))[0] ?? null;
}

/** Seconds until the clock is due, negative when it is late. */
export const left_s = (clock: Clock, now_ms: number): number => (Date.parse(clock.due_at) - now_ms) / 1000;

/** Seconds a matter has been waiting. */
export const waited_s = (opened_at: string, now_ms: number): number =>
  Math.max(0, (now_ms - Date.parse(opened_at)) / 1000);
