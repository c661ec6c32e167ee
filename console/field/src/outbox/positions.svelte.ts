// Where the phone is while it is on duty: taken from the device, kept on the phone, sent in batches. The oldest go
// first when there are too many; off duty nothing is taken and nothing kept.

export type Fix = { at: string; lon: number; lat: number; accuracy_m: number };
export type FixShelf = {
  list(most: number): Promise<Fix[]>;
  put(fix: Fix): Promise<void>;
  count(): Promise<number>;
  remove(ats: string[]): Promise<void>;
  clear(): Promise<void>;
};

const KEPT_MAX = 5760; // a day, one each 15 s
const BATCH_MAX = 500;
const MOVING_MS = 15_000;
const STILL_MS = 60_000;
const MOVED_M = 15;
const METRES_PER_DEGREE = 111_320;

export function apart_m(a: Fix, b: Fix): number {
  const east = (a.lon - b.lon) * Math.cos((a.lat * Math.PI) / 180);
  return Math.hypot(east, a.lat - b.lat) * METRES_PER_DEGREE;
}

export class Positions {
  last = $state.raw<Fix | null>(null);
  refused = $state<"" | "denied" | "unavailable">("");
  #watch: number | null = null;
  #still: ReturnType<typeof setInterval> | undefined;
  #kept: Fix | null = null;
  #sending = false;

  constructor(
    readonly shelf: FixShelf,
    /** Sends a batch; false when it must be sent again. */
    readonly send: (fixes: Fix[]) => Promise<boolean>,
    readonly device: Geolocation | undefined,
    readonly now_ms: () => number = Date.now,
  ) {}

  get watching(): boolean {
    return this.#watch !== null;
  }

  start(): void {
    if (this.#watch !== null || !this.device) {
      if (!this.device) this.refused = "unavailable";
      return;
    }
    // by the district's clock: a receiver's own may be off by years, and none older than now is asked for
    this.#watch = this.device.watchPosition(
      (told) => void this.take(this.now_ms(), told.coords),
      (fault) => (this.refused = fault.code === fault.PERMISSION_DENIED ? "denied" : "unavailable"),
      { enableHighAccuracy: true, maximumAge: 0, timeout: 30_000 },
    );
    this.#still = setInterval(() => this.refresh(), STILL_MS);
  }

  /** Ask where it is now: a device that lies still tells nothing by itself. */
  refresh(): void {
    this.device?.getCurrentPosition?.(
      (told) => void this.take(this.now_ms(), told.coords),
      () => {},
      { enableHighAccuracy: true, maximumAge: 5_000, timeout: 10_000 },
    );
  }

  /** Duty is over: take no more, and let go of what was not sent. */
  async stop(): Promise<void> {
    if (this.#watch !== null) this.device?.clearWatch(this.#watch);
    clearInterval(this.#still);
    this.#watch = null;
    this.last = null;
    this.#kept = null;
    await this.shelf.clear();
  }

  /** Keep a position when it is time for one: each 15 s while it moves, else each minute. */
  async take(at_ms: number, where: { longitude: number; latitude: number; accuracy: number }): Promise<void> {
    const at = new Date(at_ms).toISOString();
    const fix = { at, lon: where.longitude, lat: where.latitude, accuracy_m: Math.round(where.accuracy) };
    this.last = fix;
    this.refused = "";
    const gone_ms = this.#kept ? at_ms - Date.parse(this.#kept.at) : Infinity;
    const moves = this.#kept !== null && apart_m(this.#kept, fix) > MOVED_M;
    if (gone_ms < (moves ? MOVING_MS : STILL_MS)) return;
    this.#kept = fix;
    await this.shelf.put(fix);
    const over = (await this.shelf.count()) - KEPT_MAX;
    if (over > 0) await this.shelf.remove((await this.shelf.list(over)).map((one) => one.at));
    await this.pump();
  }

  async pump(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let batch = await this.shelf.list(BATCH_MAX); batch.length; batch = await this.shelf.list(BATCH_MAX)) {
        if (!(await this.send(batch))) break;
        await this.shelf.remove(batch.map((one) => one.at));
      }
    } finally {
      this.#sending = false;
    }
  }
}
