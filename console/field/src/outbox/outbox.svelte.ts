// What the phone has to tell, in its order: kept on the phone until the server has it, through reloads and a dead
// server. A row bears the id of its act, so a retry is harmless. What the server refuses for good is moved aside,
// to be seen and settled by a person; nothing is ever dropped.

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
  at_ms: number;
  tries: number;
  /** The account that wrote it. */
  by?: string | undefined;
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
const PASSING = new Set([401, 403, 408, 425, 429]);

const passes = (status: number) => status >= 500 || PASSING.has(status);

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

  /** Send what waits, one after another, until one cannot be sent. */
  async pump(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    this.#cancel?.();
    this.#cancel = null;
    try {
      for (let row = this.waiting[0]; row; row = this.waiting[0]) if (!(await this.#try(row))) break;
    } finally {
      this.#sending = false;
    }
  }

  /** Try a refused row again, behind what waits. */
  async retry(row: Row): Promise<void> {
    await this.discard(row);
    const { seq: _seq, refusal: _refusal, ...again } = row;
    await this.put(again);
  }

  /** A person has seen that it was refused. */
  async discard(row: Row): Promise<void> {
    await this.shelf.remove(row.seq!);
    this.rows = this.rows.filter((one) => one.seq !== row.seq);
  }

  /** Whether the next one may be sent. */
  async #try(row: Row): Promise<boolean> {
    const sent = await this.send(row).catch(() => null);
    if (sent !== null && sent.status < 300) {
      this.onsent(row);
      await this.discard(row);
      return true;
    }
    if (sent === null || passes(sent.status)) {
      await this.#change({ ...row, tries: row.tries + 1 });
      const longest_ms = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** row.tries);
      this.#cancel = this.after(longest_ms * (0.5 + this.random() / 2), () => void this.pump());
      return false;
    }
    await this.#change({ ...row, refusal: sent.refusal });
    this.onsent(null);
    return true;
  }

  async #change(row: Row): Promise<void> {
    await this.shelf.put(row);
    this.rows = this.rows.map((one) => (one.seq === row.seq ? row : one));
  }
}
