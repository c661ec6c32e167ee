// The district's time on a phone whose own clock may be wrong, or in another year: measured by every answer, kept
// across reloads. A request says what this clock shows as it is sent, so that the server can set right what was
// stamped by an anchor that no longer holds.
import { client } from "$api/client";
import { session } from "$api/session.svelte";
import { pulse } from "$kit/pulse.svelte";

/** That it was `at_ms` in the district when this phone's own clock showed `device_ms`; district time runs `speed`
 * times as fast (a demonstration's). */
export type Anchor = { at_ms: number; device_ms: number; speed: number };

const KEPT = "anshang.field.clock";
const SLACK_MS = 50;

export const timeAt = (anchor: Anchor, device_ms: number): number =>
  anchor.at_ms + (device_ms - anchor.device_ms) * anchor.speed;

/** The anchor after an answer that was written at `at_ms`, within the last `took_ms`: what is known stays until an
 * answer contradicts it, so a slow network does not move the clock. */
export function anchored(known: Anchor | null, at_ms: number, took_ms: number, device_ms: number, speed: number): Anchor {
  const after_ms = known?.speed === speed ? timeAt(known, device_ms) - at_ms : Number.NaN;
  if (known && after_ms >= -SLACK_MS && after_ms <= took_ms * speed + SLACK_MS) return known;
  return { at_ms: at_ms + (took_ms / 2) * speed, device_ms, speed };
}

class Clock {
  #anchor = $state.raw<Anchor | null>(null);

  recall(): void {
    this.#anchor = JSON.parse(localStorage.getItem(KEPT) ?? "null") as Anchor | null;
  }

  /** Now, in the district. */
  get now_ms(): number {
    void pulse.now_ms;
    return this.#anchor ? timeAt(this.#anchor, Date.now()) : Date.now();
  }

  /** An instant of this phone's own clock, in the district. */
  of(device_ms: number): number {
    return this.#anchor ? timeAt(this.#anchor, device_ms) : device_ms;
  }

  /** This moment, as an anchor that outlives the present one. */
  stamp(): Anchor {
    return { at_ms: this.now_ms, device_ms: Date.now(), speed: this.#anchor?.speed ?? 1 };
  }

  /** An answer bears the server's time. */
  heard(response: Response, took_ms: number): void {
    const at_ms = Date.parse(response.headers.get("X-Server-Time") ?? "");
    if (Number.isNaN(at_ms)) return;
    const speed = session.meta?.demo?.speed ?? this.#anchor?.speed ?? 1;
    const anchor = anchored(this.#anchor, at_ms, took_ms, Date.now(), speed);
    if (anchor === this.#anchor) return;
    this.#anchor = anchor;
    localStorage.setItem(KEPT, JSON.stringify(anchor));
  }
}

export const clock = new Clock();
export const iso = (at_ms: number): string => new Date(at_ms).toISOString();
/** What goes with a request: the time by the clock that stamped it. */
export const clockHeader = (stamp: Anchor = clock.stamp()) => ({ "X-Clock": iso(timeAt(stamp, Date.now())) });

const asked = new WeakMap<Request, number>();
client.use({
  onRequest({ request }) {
    asked.set(request, performance.now());
    if (request.method !== "GET") request.headers.set("X-Clock", clockHeader()["X-Clock"]);
    return request;
  },
  onResponse({ request, response }) {
    clock.heard(response, performance.now() - (asked.get(request) ?? performance.now()));
  },
});
