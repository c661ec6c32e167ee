// The wall clock of the district: what a person types there, as an instant.

const PARTS = ["year", "month", "day", "hour", "minute", "second"] as const;

/** What the wall clock of a time zone shows at an instant, as milliseconds of a clock without a zone. */
function wallOf(at_ms: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const told = new Map(format.formatToParts(at_ms).map(({ type, value }) => [type as string, Number(value)]));
  const [year, month, day, hour, minute, second] = PARTS.map((part) => told.get(part) ?? 0) as [
    number, number, number, number, number, number,
  ]; // prettier-ignore
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** The instant of a field of type datetime-local ("2026-12-31T21:30") in a time zone; null when it is none. */
export function instantAt(told: string, timeZone: string): Date | null {
  const wanted = Date.parse(`${told}Z`);
  if (Number.isNaN(wanted)) return null;
  let at = wanted;
  for (let round = 0; round < 2; round += 1) at += wanted - wallOf(at, timeZone);
  return new Date(at);
}

/** The day that it is now in a time zone, as a field of type date shows it. */
export const todayIn = (timeZone: string): string => wallAt(new Date().toISOString(), timeZone).slice(0, 10);

/** An instant as a field of type datetime-local shows it in a time zone. */
export const wallAt = (at: string, timeZone: string): string =>
  new Date(wallOf(Date.parse(at), timeZone)).toISOString().slice(0, 16);
