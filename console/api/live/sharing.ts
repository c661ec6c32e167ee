// One tab holds the stream for all tabs of this browser: HTTP/1.1 allows six connections to a server. The tab with
// the lock leads and passes everything on; when it closes, another gets the lock and goes on where it was.
import type { Frame } from "../frame";
import { Link, type News, type Surroundings } from "./link";

type Told = { type: "news"; news: News } | { type: "hello" } | { type: "state"; frame: Frame | null; since: number };

export type Channel = {
  postMessage(told: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
};

export type Locks = {
  request(name: string, options: { signal: AbortSignal }, hold: () => Promise<void>): Promise<void>;
};

export type Browser = Surroundings & {
  channel: (name: string) => Channel | null;
  /** Null where the browser has no locks (plain HTTP beyond localhost): then every tab leads itself. */
  locks: Locks | null;
};

export class Sharing {
  leads = false;
  #since: number | null = null;
  #link: Link | null = null;
  #channel: Channel | null = null;
  readonly #stop = new AbortController();

  constructor(
    readonly district: string,
    readonly browser: Browser,
    /** The merged state that this tab shows, for a tab that joins. */
    readonly present: () => Frame | null,
    readonly tell: (news: News) => void,
  ) {}

  start(): void {
    const name = `anshang.live.${this.district}`;
    if (!this.browser.locks) {
      this.#lead();
      return;
    }
    this.#channel = this.browser.channel(name);
    if (this.#channel) {
      this.#channel.onmessage = (event) => this.#told(event.data as Told);
      this.#channel.postMessage({ type: "hello" } satisfies Told);
    }
    const hold = () =>
      new Promise<void>((release) => {
        this.#stop.signal.addEventListener("abort", () => release());
        this.#lead();
      });
    this.browser.locks.request(name, { signal: this.#stop.signal }, hold).catch(() => {});
  }

  stop(): void {
    this.#stop.abort();
    this.#link?.stop();
    this.#channel?.close();
  }

  #lead(): void {
    this.leads = true;
    this.#link = new Link(this.district, this.#since, this.browser, (news) => {
      this.#channel?.postMessage({ type: "news", news } satisfies Told);
      this.#take(news);
    });
    this.#link.start();
  }

  #told(told: Told): void {
    if (told.type === "hello") this.#welcome();
    else if (this.leads) return;
    else if (told.type === "news") this.#take(told.news);
    else {
      this.#since = Math.max(this.#since ?? 0, told.since);
      if (told.frame && !this.present()) this.tell({ type: "frame", frame: told.frame });
    }
  }

  #welcome(): void {
    const since = this.#link?.since;
    if (this.leads && since !== null && since !== undefined)
      this.#channel?.postMessage({ type: "state", frame: this.present(), since } satisfies Told);
  }

  #take(news: News): void {
    if (news.type === "entry") this.#since = news.entry.seq;
    if (news.type === "beat") this.#since = Math.max(this.#since ?? 0, news.beat.seq);
    if (news.type === "reset") this.#since = null;
    this.tell(news);
  }
}
