// A partner's state: what the server told last, and answers that could not be sent yet. What is known of a person is
// kept nowhere but in memory, and hidden when the server has not been heard for five minutes.
import { answered, client, Refused, saidOf, type Shape } from "$api/client";
import { newId } from "$api/ids";
import { sendPhoto } from "$api/photos";
import { session } from "$api/session.svelte";

export type Notice = Shape["ShopNotice"];
export type Told = { partner_id: string; answer: "seen" | "not_here" | "unsure"; looked: Shape["ShopAnswer"]["looked"] };

const KEPT = "anshang.shop.answers";
const EVERY_MS = 60_000;
const LISTEN_AGAIN_MS = 4_000;
export const STALE_MS = 40_000;
const HIDE_MS = 300_000;
const HEARD_MS = 25_000;

class Shop {
  district = $state("");
  told = $state.raw<Shape["Shop"] | null>(null);
  heardAt_ms = $state(0);
  now_ms = $state(Date.now());
  refusal = $state("");
  /** Answers that wait, by notice and partner; codes alone, nothing of a person. */
  waiting = $state<Record<string, Told>>(JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Record<string, Told>);
  readonly stale = $derived(this.now_ms - this.heardAt_ms > STALE_MS);
  readonly hidden = $derived(this.now_ms - this.heardAt_ms > HIDE_MS);
  readonly notices = $derived(
    (this.told?.notices ?? []).filter(
      (one) => Date.parse(one.expires_at) > this.serverNow_ms && !(this.hidden && one.kind === "lookout"),
    ),
  );
  #ahead_ms = 0;

  get serverNow_ms(): number {
    return this.now_ms + this.#ahead_ms;
  }

  start(): () => void {
    const again = () => {
      if (!document.hidden) void this.refresh();
    };
    const second = setInterval(() => (this.now_ms = Date.now()), 1000);
    const timer = setInterval(again, EVERY_MS);
    addEventListener("online", again);
    document.addEventListener("visibilitychange", again);
    const mute = this.#listen();
    void this.refresh();
    return () => {
      clearInterval(second);
      clearInterval(timer);
      removeEventListener("online", again);
      document.removeEventListener("visibilitychange", again);
      mute();
    };
  }

  async refresh(): Promise<void> {
    if (!this.district || session.state !== "open") return;
    try {
      const query = { district: this.district };
      this.told = await answered(client.GET("/api/shop", { params: { query } }));
      this.#heard();
      this.#ahead_ms = Date.parse(this.told.at) - Date.now();
      this.refusal = "";
      await this.#pump();
    } catch (problem) {
      if (problem instanceof Refused && problem.status !== 0) this.told = null;
      this.refusal = saidOf(problem);
    }
  }

  async answer(notice: Notice, answer: Told["answer"], looked: Told["looked"] = []): Promise<void> {
    this.waiting[`${notice.id} ${notice.partner_id}`] = { partner_id: notice.partner_id, answer, looked };
    this.#keep();
    this.refusal = "";
    await this.#pump();
    const { refusal } = this;
    await this.refresh();
    this.refusal ||= refusal;
  }

  waits(notice: Notice): boolean {
    return `${notice.id} ${notice.partner_id}` in this.waiting;
  }

  /** Report something; with a photograph that is sent after it. Returns what went wrong with that, or nothing. */
  async report(partner_id: string, category_id: string, text: string, photo: Blob | null): Promise<string> {
    const query = { district: this.district };
    const id = newId();
    await answered(client.POST("/api/shop/reports", { params: { query }, body: { id, partner_id, category_id, text } }));
    let refusal = "";
    if (photo) await sendPhoto(this.district, "report", id, photo).catch((problem: Error) => (refusal = problem.message));
    await this.refresh();
    return refusal;
  }

  async check(partner_id: string, list_id: string, not_in_order: string[]): Promise<void> {
    const query = { district: this.district };
    await answered(client.POST("/api/shop/checks", { params: { query }, body: { id: newId(), partner_id, list_id, not_in_order } }));
    await this.refresh();
  }

  async #pump(): Promise<void> {
    for (const [key, body] of Object.entries(this.waiting)) {
      const [id = ""] = key.split(" ");
      try {
        const params = { path: { id }, query: { district: this.district } };
        await answered(client.POST("/api/shop/notices/{id}", { params, body }));
      } catch (problem) {
        // it goes with the next try; what is refused for good is said
        if (!(problem instanceof Refused && problem.final)) return;
        this.refusal = problem.words;
      }
      delete this.waiting[key];
      this.#keep();
    }
  }

  #take(notice: Notice): void {
    const same = (one: Notice) => one.id === notice.id && one.partner_id === notice.partner_id;
    if (this.told) this.told = { ...this.told, notices: [notice, ...this.told.notices.filter((one) => !same(one))] };
    this.#heard();
  }

  #drop(id: string): void {
    if (this.told) this.told = { ...this.told, notices: this.told.notices.filter((one) => one.id !== id) };
    this.#heard();
  }

  #keep(): void {
    localStorage.setItem(KEPT, JSON.stringify(this.waiting));
  }

  #heard(): void {
    this.now_ms = this.heardAt_ms = Date.now();
  }

  #listen(): () => void {
    if (typeof EventSource === "undefined") return () => {};
    let stream: EventSource | null = null;
    let again: ReturnType<typeof setTimeout> | undefined;
    let silent: ReturnType<typeof setTimeout> | undefined;
    const open = () => {
      stream?.close();
      stream = new EventSource(`/api/shop/live?district=${encodeURIComponent(this.district)}`);
      const hear = () => {
        clearTimeout(silent);
        silent = setTimeout(open, HEARD_MS);
      };
      let first = true;
      stream.addEventListener("nudge", () => {
        hear();
        void this.refresh();
      });
      stream.addEventListener("notice", (event) => {
        hear();
        this.#take(JSON.parse(event.data as string) as Notice);
      });
      stream.addEventListener("withdrawn", (event) => {
        hear();
        this.#drop((JSON.parse(event.data as string) as { id: string }).id);
      });
      stream.addEventListener("beat", () => {
        hear();
        this.#heard();
        if (first) void this.refresh(); // what happened while nobody listened
        first = false;
      });
      stream.addEventListener("error", () => {
        stream?.close();
        clearTimeout(again);
        again = setTimeout(open, LISTEN_AGAIN_MS * (1 + Math.random()));
      });
      hear();
    };
    const shut = () => {
      clearTimeout(again);
      clearTimeout(silent);
      stream?.close();
    };
    open();
    addEventListener("offline", shut);
    addEventListener("online", open);
    return () => {
      removeEventListener("offline", shut);
      removeEventListener("online", open);
      shut();
    };
  }
}

export const shop = new Shop();
