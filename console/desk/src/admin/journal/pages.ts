// Which entries are shown: those once shown stay where they are, older ones come below, newer ones wait to be
// asked for.
import type { JournalEntry } from "$api/questions";

type Numbered = Pick<JournalEntry, "seq">;

/** How many of the page's entries are newer than what is shown. */
export const waitingIn = (page: readonly Numbered[], shown: readonly Numbered[]): number =>
  page.filter((entry) => entry.seq > (shown[0]?.seq ?? 0)).length;

/** What is shown with the newest page on top. When more has happened than a page holds, only the page: a
 * journal with a hole in the middle would say what is not true. */
export function withNewest<E extends Numbered>(page: readonly E[], shown: readonly E[]): E[] {
  const last = page.at(-1);
  if (!last || !shown[0] || last.seq > shown[0].seq) return [...page];
  return [...page, ...shown.filter((entry) => entry.seq < last.seq)];
}
