// What to do about each point of the check: a command to run, a setting to write, a part of Admin to open.

export type AdminTab = "place" | "sensors" | "people";
export type Remedy = {
  command?: string;
  setting?: string;
  /** The part of Admin, what it shows there, and the permission it needs. */
  admin?: { tab: AdminTab; needs: string; marks?: string };
};

const sensors = (marks = "") => ({ tab: "sensors", needs: "crowd.configure", marks }) as const;

const REMEDIES: Record<string, Remedy> = {
  "disk.room": { command: "anshang crowd seal" },
  "place.present": {
    command: "anshang place import district.geojson",
    admin: { tab: "place", needs: "place.edit" },
  },
  "sensors.defined": { admin: sensors() },
  "feed.open": {
    command: 'anshang people feed "gate counters"',
    admin: { tab: "people", needs: "people.manage" },
  },
  "sensors.heard": { admin: sensors("&state=never") },
  "counts.fresh": { admin: sensors("&state=silent") },
  "accounts.desk": {
    command: "anshang people add NAME --role desk",
    admin: { tab: "people", needs: "people.manage" },
  },
  "cookies.secure": { setting: "secure_cookies = true" },
  "proxy.trusted": { setting: 'trusted_proxies = "127.0.0.1"' },
  "files.enough": { command: "systemctl edit anshang" },
  "journal.whole": { command: "anshang journal verify" },
  "clock.trusted": { command: "anshang vault confirm-clock" },
  "jobs.running": { command: "journalctl --unit anshang --since -15min" },
  "vault.readable": { command: "anshang vault import FILE" },
};

export const remedyOf = (name: string): Remedy => REMEDIES[name] ?? {};

export type PointState = "ok" | "warn" | "fail";

/** A state we do not know is not called well. */
export const stateOf = (state: string): PointState => (state === "ok" || state === "fail" ? state : "warn");

export function tally(points: readonly { state: string }[]): Record<PointState, number> {
  const found = { ok: 0, warn: 0, fail: 0 };
  for (const point of points) found[stateOf(point.state)] += 1;
  return found;
}
