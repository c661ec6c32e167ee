import { describe, expect, test } from "vitest";
import { lateness, merged, type Frame } from "$api/frame";
import { Link, SILENT_MS, type News, type Stream } from "$api/live/link";
import { Sharing, type Browser, type Channel } from "$api/live/sharing";

class FakeStream implements Stream {
  readyState = 0;
  closed = false;
  #listeners = new Map<string, ((event: { data?: unknown }) => void)[]>();
  constructor(readonly address: string) {}
  addEventListener(type: string, listener: (event: { data?: unknown }) => void) {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }
  close() {
    this.closed = true;
  }
  send(type: string, told: unknown = {}) {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data: JSON.stringify(told) });
  }
  break() {
    this.readyState = 2;
    this.send("error");
  }
}

function surroundings(known = true) {
  const streams: FakeStream[] = [];
  const timers: { wait_ms: number; run: () => void; off: boolean }[] = [];
  const around = {
    open: (address: string) => {
      const stream = new FakeStream(address);
      streams.push(stream);
      return stream;
    },
    known: async () => known,
    after: (wait_ms: number, run: () => void) => {
      const timer = { wait_ms, run, off: false };
      timers.push(timer);
      return () => void (timer.off = true);
    },
    random: () => 0.5,
  };
  const due = (wait_ms: number) => timers.filter((timer) => timer.wait_ms === wait_ms && !timer.off);
  return { streams, timers, around, due, last: () => streams.at(-1)! };
}

const entry = (seq: number) => ({ seq, kind: "matter.opened", subject_id: "m", at: "2024-12-31T13:00:00Z" });

describe("the live link", () => {
  test("resumes after the last entry it heard, and tells none twice", async () => {
    const { around, last, due } = surroundings();
    const news: News[] = [];
    new Link("wuyi", null, around, (one) => news.push(one)).start();
    expect(last().address).toBe("/api/live?district=wuyi");
    last().send("entry", entry(7));
    last().send("entry", entry(7));
    last().break();
    await Promise.resolve().then(() => {});
    await Promise.resolve();
    due(500)[0]!.run();
    expect(last().address).toBe("/api/live?district=wuyi&since=7");
    expect(news.length).toBe(1);
  });
  test("is cut and begun anew after 25 s of silence", () => {
    const { around, streams, due } = surroundings();
    new Link("wuyi", 3, around, () => {}).start();
    streams[0]!.send("beat", { at: "2024-12-31T13:00:00Z", seq: 3 });
    expect(due(SILENT_MS).length).toBe(1);
    due(SILENT_MS)[0]!.run();
    expect(streams.length).toBe(2);
    expect(streams[0]!.closed).toBe(true);
  });
  test("waits longer after each failure, with jitter", async () => {
    const { around, streams, timers, last } = surroundings();
    new Link("wuyi", null, around, () => {}).start();
    const waits: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      last().break();
      await new Promise((go) => setTimeout(go));
      const timer = timers.at(-1)!;
      waits.push(timer.wait_ms);
      timer.run();
    }
    expect(waits).toEqual([500, 1000, 2000]);
    expect(streams.length).toBe(4);
  });
  test("stops when the server no longer knows us", async () => {
    const { around, streams, timers } = surroundings(false);
    new Link("wuyi", null, around, () => {}).start();
    streams[0]!.break();
    await new Promise((go) => setTimeout(go));
    expect(timers.filter((timer) => !timer.off).length).toBe(0);
  });
  test("after a reset it takes the beat's number as its place", () => {
    const { around, last } = surroundings();
    const link = new Link("wuyi", 3, around, () => {});
    link.start();
    last().send("reset");
    last().send("beat", { at: "2024-12-31T13:00:00Z", seq: 99 });
    expect(link.since).toBe(99);
  });
});

const frame = (over: Partial<Frame>): Frame => ({
  at: "2024-12-31T13:00:00Z", speed: 1, full: true, people: 1, low: 0, high: 2, unknown_zones: 0, zones: {}, gates: {}, ...over,
}); // prettier-ignore

describe("tabs", () => {
  function browser(names: Map<string, Channel[]>, waiting: (() => void)[]) {
    const made = surroundings();
    let free = waiting.length === 0;
    const all: Browser = {
      ...made.around,
      channel: (name) => {
        const mine: Channel = {
          onmessage: null,
          close: () => {},
          postMessage: (told) => {
            for (const other of names.get(name) ?? [])
              if (other !== mine) other.onmessage?.({ data: structuredClone(told) } as MessageEvent);
          },
        };
        names.set(name, [...(names.get(name) ?? []), mine]);
        return mine;
      },
      locks: {
        request: (_name, _options, hold) => {
          if (free) return hold();
          waiting.push(() => void hold());
          return new Promise(() => {});
        },
      },
    };
    free = waiting.length === 0 && names.size === 0;
    return { ...made, browser: all };
  }

  test("share one stream, and the next leader goes on where the last was", () => {
    const [names, waiting] = [new Map<string, Channel[]>(), [] as (() => void)[]];
    const first = browser(names, waiting);
    const [heardA, heardB]: [News[], News[]] = [[], []];
    const a = new Sharing("wuyi", first.browser, () => frame({}), (one) => heardA.push(one));
    a.start();
    first.last().send("beat", { at: "2024-12-31T13:00:00Z", seq: 4 });
    const second = browser(names, waiting);
    const b = new Sharing("wuyi", second.browser, () => null, (one) => heardB.push(one));
    b.start();
    expect(heardB.map((one) => one.type)).toEqual(["frame"]);
    first.last().send("entry", entry(5));
    expect(heardB.at(-1)?.type).toBe("entry");
    expect(second.streams.length).toBe(0);
    a.stop();
    waiting[0]!();
    expect(second.last().address).toBe("/api/live?district=wuyi&since=5");
    expect(b.leads).toBe(true);
  });
});

describe("the age of a frame", () => {
  const anchor = { at_ms: Date.parse("2024-12-31T13:00:30Z"), heardAt_ms: 1000, speed: 1 };
  test("is nothing when it comes promptly, or before any beat", () => {
    expect(lateness(frame({ at: "2024-12-31T13:00:35Z" }), anchor, 6000)).toBe(0);
    expect(lateness(frame({ at: "2024-12-31T13:00:33Z" }), anchor, 6000)).toBe(0);
    expect(lateness(frame({}), null, 6000)).toBe(0);
  });
  test("is what the server's beats say when its engine stands still", () => {
    expect(lateness(frame({}), anchor, 6000)).toBe(35_000);
    expect(lateness(frame({}), { ...anchor, speed: 60 }, 1000 + 4500)).toBe((30_000 + 270_000) / 60);
  });
});

describe("frames", () => {
  test("a partial frame changes only what it names; without a full one before it tells nothing", () => {
    const zone = (people: number) => ({ people }) as Frame["zones"][string];
    const full = frame({ zones: { z1: zone(1), z2: zone(2) } });
    const after = merged(full, frame({ full: false, people: 9, zones: { z2: zone(3) } }));
    expect([after?.people, after?.zones["z1"]?.people, after?.zones["z2"]?.people]).toEqual([9, 1, 3]);
    expect(merged(null, frame({ full: false }))).toBeNull();
  });
});
