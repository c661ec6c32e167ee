// The live connection as the screens see it: the crowd's present state, how old it is, and the district's clock.
import { pulse } from "$kit/pulse.svelte";
import { answered, client } from "../client";
import { lateness, merged, type Anchor, type Frame } from "../frame";
import { answers } from "../queries.svelte";
import { reach } from "../reach.svelte";
import { session } from "../session.svelte";
import { SILENT_MS, type Beat, type Entry, type News, type Trouble } from "./link";
import { Sharing, type Browser } from "./sharing";

export type LinkState = "connecting" | "live" | "stale";

const browser: Browser = {
  open: (address) => new EventSource(address),
  known: async () => {
    const answer = await client.GET("/api/session");
    if (answer.response.status === 401) session.ended();
    return answer.response.status !== 401;
  },
  after: (wait_ms, run) => {
    const timer = setTimeout(run, wait_ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
  channel: (name) => ("BroadcastChannel" in globalThis ? new BroadcastChannel(name) : null),
  locks: (navigator.locks as Browser["locks"] | undefined) ?? null,
};

class Live {
  frame = $state.raw<Frame | null>(null);
  /** What stands still on the server, as the last beat said. */
  troubles = $state.raw<Trouble[]>([]);
  /** When the state on screen was the present one; a beat alone makes it no younger. */
  #presentAt_ms = $state<number | null>(null);
  #begun = false;
  readonly #listeners = new Set<(entry: Entry) => void>();
  #anchor = $state.raw<Anchor | null>(null);

  /** Real seconds since the state on screen was the present one. */
  readonly age_s = $derived(
    this.#presentAt_ms === null ? null : Math.max(0, pulse.now_ms - this.#presentAt_ms) / 1000,
  );
  readonly state = $derived<LinkState>(
    this.age_s === null ? "connecting" : this.age_s * 1000 >= SILENT_MS ? "stale" : "live",
  );
  /** The district's own time, which runs faster in a demonstration. */
  readonly now_ms = $derived.by(() => {
    const anchor = this.#anchor;
    if (!anchor) return Date.now();
    return anchor.at_ms + Math.max(0, pulse.now_ms - anchor.heardAt_ms) * anchor.speed;
  });

  /** Follow a district until the returned function is called. */
  follow(district: string): () => void {
    this.frame = null;
    this.troubles = [];
    this.#presentAt_ms = null;
    this.#begun = false;
    const sharing = new Sharing(district, browser, () => this.frame, (news) => this.#take(news, district));
    sharing.start();
    return () => sharing.stop();
  }

  /** Be told of what happens, as it does, until the returned function is called. */
  listen(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #take(news: News, district: string): void {
    reach.heard();
    if (news.type === "beat") this.#beat(news.beat);
    else if (news.type === "entry") {
      answers.happened(news.entry.kind);
      this.#listeners.forEach((listener) => listener(news.entry));
    }
    else if (news.type === "reset") {
      answers.all();
      void this.#refetch(district);
    } else {
      this.#show(news.frame);
      if (!this.frame) void this.#refetch(district);
    }
  }

  /** What was answered before the stream began may lack what happened in between: it is asked once more. */
  #beat(beat: Beat): void {
    this.troubles = beat.troubles ?? [];
    this.#set(beat.at, session.meta?.demo?.speed ?? 1);
    if (!this.#begun) answers.all();
    this.#begun = true;
  }

  /** A frame that comes late, as the first one of a server that stands still, is as old as it says. */
  #show(frame: Frame): void {
    this.frame = merged(this.frame, frame);
    const late_ms = lateness(frame, this.#anchor, performance.now());
    if (late_ms === 0) this.#set(frame.at, frame.speed);
    if (this.frame) this.#presentAt_ms = performance.now() - late_ms;
  }

  async #refetch(district: string): Promise<void> {
    const full = await answered(client.GET("/api/crowd", { params: { query: { district } } })).catch(() => null);
    if (full) this.#show(full as Frame);
  }

  /** Set the district's clock; a small step back is not shown, time does not run backwards. */
  #set(at: string, speed: number): void {
    const [at_ms, heardAt_ms] = [Date.parse(at), performance.now()];
    if (!Number.isFinite(at_ms)) return;
    const shown_ms = this.#anchor ? this.#anchor.at_ms + (heardAt_ms - this.#anchor.heardAt_ms) * this.#anchor.speed : 0;
    const back_ms = shown_ms - at_ms;
    const kept = back_ms > 0 && back_ms < 2000 * speed;
    this.#anchor = { at_ms: kept ? shown_ms : at_ms, heardAt_ms, speed };
  }
}

export const live = new Live();
