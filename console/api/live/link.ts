// One connection to the live stream: re-created with jitter after a cut, resumed with `since`, and watched: a link
// that says nothing for 25 s is cut off and begun anew.
import type { Frame } from "../frame";

/** What happened, to what; in dispatch also with which incident and units. */
export type Entry = { seq: number; kind: string; subject_id: string; at: string; incident?: string; unit?: string; units?: string[] };
/** Background work that stands still (`stopped`), or of which some items fail. */
export type Trouble = { name: string; stopped: boolean; zh: string; en: string };
export type Beat = { at: string; seq: number; troubles?: Trouble[] };

export type News =
  | { type: "entry"; entry: Entry }
  | { type: "frame"; frame: Frame }
  | { type: "beat"; beat: Beat }
  | { type: "reset" };

/** The part of EventSource that is used. */
export type Stream = {
  addEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
  close(): void;
  readonly readyState: number;
};

export type Surroundings = {
  open: (address: string) => Stream;
  /** Whether the server still knows us; called when the stream was refused. */
  known: () => Promise<boolean>;
  after: (wait_ms: number, run: () => void) => () => void;
  random: () => number;
};

export const SILENT_MS = 25_000;
const WAIT_MS_MIN = 500;
const WAIT_MS_MAX = 15_000;
const CLOSED = 2;

export class Link {
  since: number | null;
  #stream: Stream | null = null;
  #cancelWatch = () => {};
  #cancelRetry = () => {};
  #failures = 0;
  #stopped = false;

  constructor(
    readonly district: string,
    since: number | null,
    readonly around: Surroundings,
    readonly tell: (news: News) => void,
  ) {
    this.since = since;
  }

  start(): void {
    this.#stopped = false;
    this.#open();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWatch();
    this.#cancelRetry();
    this.#stream?.close();
    this.#stream = null;
  }

  #open(): void {
    this.#stream?.close();
    const since = this.since === null ? "" : `&since=${this.since}`;
    const stream = this.around.open(`/api/live?district=${encodeURIComponent(this.district)}${since}`);
    this.#stream = stream;
    const heard = <T>(type: string, take: (told: T) => News) =>
      stream.addEventListener(type, (event) => {
        if (stream === this.#stream) this.#heard(take(JSON.parse(String(event.data)) as T));
      });
    heard<Entry>("entry", (entry) => ({ type: "entry", entry }));
    heard<Frame>("frame", (frame) => ({ type: "frame", frame }));
    heard<Beat>("beat", (beat) => ({ type: "beat", beat }));
    heard<unknown>("reset", () => ({ type: "reset" }));
    stream.addEventListener("error", () => {
      if (stream === this.#stream && stream.readyState === CLOSED) void this.#refused(stream);
    });
    this.#watch();
  }

  #heard(news: News): void {
    this.#failures = 0;
    this.#watch();
    if (news.type === "entry") {
      if (this.since !== null && news.entry.seq <= this.since) return;
      this.since = news.entry.seq;
    }
    if (news.type === "reset") this.since = null;
    if (news.type === "beat" && this.since === null) this.since = news.beat.seq;
    this.tell(news);
  }

  #watch(): void {
    this.#cancelWatch();
    this.#cancelWatch = this.around.after(SILENT_MS, () => this.#open());
  }

  async #refused(stream: Stream): Promise<void> {
    this.#cancelWatch();
    const known = await this.around.known().catch(() => true);
    if (!known || this.#stopped || stream !== this.#stream) return;
    const wait_ms = Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** this.#failures) * (0.5 + this.around.random());
    this.#failures += 1;
    this.#cancelRetry();
    this.#cancelRetry = this.around.after(wait_ms, () => this.#open());
  }
}
