// What the phone has to tell, in its order: kept on the phone until the server has it, through reloads and a dead
// server. A row bears the id of its act, so a retry is harmless. What the server refuses for good is moved aside,
// to be seen and settled by a person, who may also discard what waits; nothing is ever dropped by itself.
import type { Anchor } from "./clock.svelte";

export type Row = {
  /** Grows with every row: the order in which they are sent. */
  seq?: number;
  key: string;
  path: string;
  body: unknown;
  /** A picture, sent instead of the body; what it belongs to is told before it. */
  blob?: Blob;
  /** What it is, for whoever looks at the list. */
  label: string;
  /** When it was told, in the district's time, and by which clock. */
  at_ms: number;
  stamp?: Anchor;
  tries: number;
  /** The account that wrote it. */
  by?: string | undefined;
  /** Why it could not be sent the last time; it is tried again. */
  trouble?: string;
  /** Why the server refused it for good. */
  refusal?: string;
};

/** Where rows are kept; `field/outbox/shelf` keeps them in IndexedDB. */
export type Shelf = {
  list(): Promise<Row[]>;
  put(row: Row): Promise<number>;
  remove(seq: number): Promise<void>;
};

export type Sent = { status: number; refusal: string };
/** Sends a row; null when the server cannot be reached. */
export type Send = (row: Row) => Promise<Sent | null>;
export type After = (wait_ms: number, run: () => void) => () => void;

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** Not a 403: access that is gone does not come back by waiting, and a person must see it. */
const PASSING = new Set([401, 408, 425, 429]);
const PICTURE_OF = /[?&]of=([^&]+)/;
const ID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

const passes = (status: number) => status >= 500 || PASSING.has(status);

/** What a row is about: what is told of one thing is sent in its order, and holds up nothing else. */
export function about(row: Pick<Row, "path" | "body" | "key">): string {
  const named = PICTURE_OF.exec(row.path)?.[1] ?? ID.exec(row.path)?.[0];
  return named ?? (row.body as { id?: string } | null)?.id ?? row.key;
}

export class Outbox {
  rows = $state.raw<readonly Row[]>([]);
  readonly waiting = $derived(this.rows.filter((row) => row.refusal === undefined));
  readonly refused = $derived(this.rows.filter((row) => row.refusal !== undefined));
  /** Told of a row that was taken, before it leaves the list, or refused for good (null). */
  onsent: (row: Row | null) => void = () => {};
  #sending = false;
  #cancel: (() => void) | null = null;

  constructor(
    readonly shelf: Shelf,
    readonly send: Send,
    readonly after: After,
    readonly random: () => number = Math.random,
  ) {}

  /** Take up what was kept before. */
  async recall(): Promise<void> {
    this.rows = await this.shelf.list();
    void this.pump();
  }

  /** Keep a row, then send it; settled when it is kept. */
  async put(row: Omit<Row, "seq" | "tries">): Promise<void> {
    const kept: Row = { ...row, tries: 0 };
    kept.seq = await this.shelf.put(kept);
    this.rows = [...this.rows, kept];
    void this.pump();
  }

  /** Send what waits, in its order: past what the server cannot take now, until it cannot be reached. */
  async pump(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    this.#cancel?.();
    this.#cancel = null;
    const stuck = new Set<string>();
    const tried = new Set<number>();
    const next = () => this.waiting.find((row) => !tried.has(row.seq!) && !stuck.has(about(row)));
    let tries = Infinity;
    try {
      for (let row = next(); row; row = next()) {
        tried.add(row.seq!);
        const result = await this.#try(row);
        if (result === "done") continue;
        stuck.add(about(row));
        tries = Math.min(tries, row.tries);
        if (result === "unreached") break;
      }
    } finally {
      this.#sending = false;
    }
    if (tries === Infinity) return;
    const longest_ms = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries);
    this.#cancel = this.after(longest_ms * (0.5 + this.random() / 2), () => void this.pump());
  }

  /** Try a refused row again, behind what waits. */
  async retry(row: Row): Promise<void> {
    const { seq: _seq, refusal: _refusal, ...again } = row;
    await this.put(again);
    await this.discard(row);
  }

  /** A person has seen that it was refused, or no longer wants it sent. */
  async discard(row: Row): Promise<void> {
    await this.shelf.remove(row.seq!);
    this.rows = this.rows.filter((one) => one.seq !== row.seq);
  }

  async #try(row: Row): Promise<"done" | "later" | "unreached"> {
    const sent = await this.send(row).catch(() => null);
    if (sent !== null && sent.status < 300) {
      this.onsent(row);
      await this.discard(row);
      return "done";
    }
    if (sent === null || passes(sent.status)) {
      await this.#change({ ...row, tries: row.tries + 1, trouble: sent?.refusal ?? "" });
      return sent === null ? "unreached" : "later";
    }
    await this.#change({ ...row, refusal: sent.refusal });
    this.onsent(null);
    return "done";
  }

  /** A row that was discarded while it was being sent does not come back. */
  async #change(row: Row): Promise<void> {
    if (!this.rows.some((one) => one.seq === row.seq)) return;
    await this.shelf.put(row);
    this.rows = this.rows.map((one) => (one.seq === row.seq ? row : one));
  }
}
