// The phone's state: what the server told last, kept across reloads, and over it what waits to be told.
import { answered, client, Refused, saidOf, UPLOAD_MS, WRITE_MS, type Shape } from "$api/client";
import { newId } from "$api/ids";
import { newPhoto } from "$api/photos";
import { session } from "$api/session.svelte";
import { language, type Both } from "$kit/i18n.svelte";
import { clock, clockHeader, iso } from "./clock.svelte";
import { Outbox, type Row, type Sent } from "./outbox.svelte";
import { overlaid } from "./overlay";
import { Positions, type Fix } from "./positions.svelte";
import * as shelf from "./shelf";

export type FieldState = Shape["FieldShown"];

const KEPT = "anshang.field";
const EVERY_MS = 5000;
const LISTEN_AGAIN_MS = 3000;
const STALE_MS = 20_000;
const ANSWERED = /^\/api\/assignments\/([^/]+)\/answer/;
const OTHERS = { zh: "由其他账号记录，未发送。", en: "Written by another account; not sent." };

async function send(row: Row): Promise<Sent | null> {
  if (session.state !== "open") await session.recall().catch(() => {});
  if (session.state !== "open") return null;
  if (row.by !== undefined && row.by !== session.account?.id) return { status: 409, refusal: OTHERS[language.current] };
  const response = await post(row);
  if (response.status === 401) session.ended();
  if (response.ok) return { status: response.status, refusal: "" };
  const told = (await response.json().catch(() => null)) as { error?: string; message?: Both } | null;
  // another page of this phone has signed in anew: the next try bears the new token
  if (told?.error === "csrf.missing") session.ended();
  const status = told?.error === "csrf.missing" ? 401 : response.status;
  const both = told?.message ?? { zh: `错误 ${status}`, en: `error ${status}` };
  return { status, refusal: saidOf(new Refused(status, told?.error ?? "http", both)) };
}

async function post(row: Row): Promise<Response> {
  const began_ms = performance.now();
  const response = await fetch(row.path, {
    method: "POST",
    headers: {
      "Content-Type": row.blob ? "application/octet-stream" : "application/json",
      "X-CSRF-Token": session.csrfToken,
      ...clockHeader(row.stamp),
    },
    body: row.blob ?? JSON.stringify(row.body),
    signal: AbortSignal.timeout(row.blob ? UPLOAD_MS : WRITE_MS),
  });
  clock.heard(response, performance.now() - began_ms);
  return response;
}

class Field {
  told = $state.raw<FieldState | null>(null);
  heardAt_ms = $state<number | null>(null);
  refusal = $state("");
  district = $state("");
  readonly outbox = new Outbox(shelf.rows, send, (wait_ms, run) => {
    const timer = setTimeout(run, wait_ms);
    return () => clearTimeout(timer);
  });
  readonly positions = new Positions(shelf.fixes, (fixes) => this.#sendFixes(fixes), globalThis.navigator?.geolocation, () => clock.now_ms);
  /** What the server has taken, but has not shown us yet. */
  #taken = $state.raw<readonly Row[]>([]);
  /** What the phone shows: the server's word, with what it does not know yet, or has not told us back. */
  readonly shown = $derived(
    this.told === null ? null : overlaid(this.told, [...this.#taken, ...this.outbox.waiting]),
  );
  /** Tasks that were offered and are gone before anybody answered, until a person has seen that. */
  gone = $state.raw<FieldState["tasks"]>([]);
  readonly #answered = new Set<string>();
  #asking = false;
  #again = false;
  #by: string | undefined;

  stale(now_ms: number): boolean {
    return this.heardAt_ms === null || now_ms - this.heardAt_ms > STALE_MS;
  }

  /** Take up what was known before the reload. */
  recall(): void {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "null") as {
      told: FieldState;
      at_ms: number;
      district: string;
      by: string | undefined;
    } | null;
    if (!kept) return;
    this.told = kept.told;
    this.heardAt_ms = kept.at_ms;
    this.district = kept.district;
    this.#by = kept.by;
  }

  start(): () => void {
    void this.outbox.recall();
    this.outbox.onsent = (row) => {
      if (row) this.#taken = [...this.#taken, row];
      void this.refresh();
    };
    const again = () => {
      if (document.hidden) return;
      void this.refresh();
      void this.outbox.pump();
      void this.positions.pump();
    };
    const timer = setInterval(again, EVERY_MS);
    addEventListener("online", again);
    document.addEventListener("visibilitychange", again);
    return () => {
      clearInterval(timer);
      removeEventListener("online", again);
      document.removeEventListener("visibilitychange", again);
    };
  }

  /** Ask the server how things stand; what is on screen stays until it has answered. */
  async refresh(): Promise<void> {
    if (this.#asking) this.#again = true;
    if (this.#asking || session.state !== "open" || !session.may("unit.duty") || !this.district) return;
    this.#asking = true;
    const before = this.#taken;
    try {
      const told = await answered(client.GET("/api/field", { params: { query: { district: this.district } } }));
      this.gone = [...this.gone, ...this.#lost(told)];
      this.told = told;
      this.#taken = this.#taken.filter((row) => !before.includes(row));
      this.heardAt_ms = Date.now();
      this.refusal = "";
      this.#by = session.account?.id;
      const kept = { told: this.told, at_ms: this.heardAt_ms, district: this.district, by: this.#by };
      localStorage.setItem(KEPT, JSON.stringify(kept));
      if (this.told.duty) this.positions.start();
      else await this.positions.stop();
    } catch (problem) {
      this.refusal = saidOf(problem);
    }
    this.#asking = false;
    if (this.#again) {
      this.#again = false;
      await this.refresh();
    }
  }

  #lost(now: FieldState): FieldState["tasks"] {
    const offered = now.duty ? (this.told?.tasks ?? []).filter((task) => task.state === "offered") : [];
    return offered.filter((task) => !this.#answered.has(task.id) && !now.tasks.some((one) => one.id === task.id));
  }

  /** A person has seen that a task is gone. */
  settle(id: string): void {
    this.gone = this.gone.filter((task) => task.id !== id);
  }

  /** Be nudged when there is something new, until the returned function is called; a broken line is laid again. */
  listen(district: string): () => void {
    let line: EventSource | null = null;
    let again: ReturnType<typeof setTimeout> | undefined;
    const lay = () => {
      line = new EventSource(`/api/field/live?district=${encodeURIComponent(district)}`);
      line.addEventListener("nudge", () => void this.refresh());
      line.addEventListener("error", () => {
        line?.close();
        again = setTimeout(lay, LISTEN_AGAIN_MS * (0.5 + Math.random()));
      });
    };
    lay();
    return () => {
      clearTimeout(again);
      line?.close();
    };
  }

  /** Tell the server something, in its turn, whenever it can be reached. */
  async tell(path: string, body: Record<string, unknown>, label: string): Promise<void> {
    const task = ANSWERED.exec(path)?.[1];
    if (task) this.#answered.add(task);
    const query = `?district=${encodeURIComponent(this.district)}`;
    await this.#keep({ path: path + query, body, label });
  }

  /** Keep a photograph of what was told before, until the server has it, too. */
  async picture(of: string, blob: Blob, label: string): Promise<void> {
    const { path } = newPhoto(this.district, "report", of);
    await this.#keep({ path, body: null, blob, label });
  }

  async #keep(told: Pick<Row, "path" | "body" | "blob" | "label">): Promise<void> {
    const stamp = clock.stamp();
    this.#by = session.account?.id ?? this.#by;
    await this.outbox.put({ ...told, key: newId(), at_ms: stamp.at_ms, stamp, by: this.#by });
  }

  forget(): void {
    localStorage.removeItem(KEPT);
    this.told = null;
    this.heardAt_ms = null;
  }

  async #sendFixes(fixes: Fix[]): Promise<boolean> {
    if (session.state !== "open") return false;
    const body = { positions: fixes.map((fix) => ({ ...fix, gcj02: false })) };
    try {
      await answered(client.POST("/api/positions", { params: { query: { district: this.district } }, body }));
      return true;
    } catch (problem) {
      // nobody is on duty any more: positions are not wanted
      return problem instanceof Refused && problem.status >= 400 && problem.status < 500 && problem.status !== 401;
    }
  }
}

export const field = new Field();
/** The present instant in the district, as what is told bears it. */
export const now = () => iso(clock.now_ms);
