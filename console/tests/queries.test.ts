import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { answered, client, READ_MS, Refused } from "$api/client";
import { Answers } from "$api/queries.svelte";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const settled = () => vi.advanceTimersByTimeAsync(200);

function counting(key = "k", topics = ["matter"]) {
  let asked = 0;
  return { key, topics, ask: async () => (asked += 1) };
}

describe("answers", () => {
  test("one question is asked once for everybody who shows it", async () => {
    const answers = new Answers();
    const question = counting();
    const [a, b] = [answers.hold(question), answers.hold(question)];
    await settled();
    expect(a).toBe(b);
    expect(a.value).toBe(1);
  });
  test("a thin event asks again only what depends on it, and many events once", async () => {
    const answers = new Answers();
    const [mine, other] = [answers.hold(counting("m")), answers.hold(counting("s", ["sensor"]))];
    await settled();
    for (const kind of ["matter.opened", "matter.noted", "matter.closed"]) answers.happened(kind);
    await settled();
    expect([mine.value, other.value]).toEqual([2, 1]);
  });
  test("nobody looking, nothing asked; who comes back gets it fresh", async () => {
    const answers = new Answers();
    const question = counting();
    const answer = answers.hold(question);
    await settled();
    answers.release(answer as never);
    answers.happened("matter.opened");
    await settled();
    expect(answer.value).toBe(1);
    answers.hold(question);
    await settled();
    expect(answer.value).toBe(2);
  });
  test("an answer that says the same stays the same object", async () => {
    const answers = new Answers();
    let zone = "a";
    const answer = answers.hold({ key: "place", topics: [], ask: async () => ({ zone }) });
    await settled();
    const before = answer.value;
    answers.all();
    await settled();
    expect(answer.value).toBe(before);
    zone = "b";
    answers.all();
    await settled();
    expect(answer.value).toEqual({ zone: "b" });
  });
  test("a refusal keeps what was there, and says why", async () => {
    const answers = new Answers();
    let fails = false;
    const ask = async () => {
      if (fails) throw new Refused(403, "no", { zh: "不可", en: "No" });
      return "here";
    };
    const answer = answers.hold({ key: "r", topics: ["matter"], ask });
    await settled();
    fails = true;
    answers.all();
    await settled();
    expect([answer.value, answer.refusal === "不可" || answer.refusal === "No"]).toEqual(["here", true]);
  });
  test("an event during an answer under way asks once more", async () => {
    const answers = new Answers();
    const finish: (() => void)[] = [];
    const ask = () => new Promise<number>((done) => finish.push(() => done(finish.length)));
    const answer = answers.hold({ key: "slow", topics: ["matter"], ask });
    answers.happened("matter.opened");
    answers.happened("matter.closed");
    await settled();
    finish[0]?.();
    await settled();
    finish[1]?.();
    await settled();
    expect(finish.length).toBe(2);
    expect(answer.value).toBe(2);
  });
  test("a question that no server ever answers ends after a while, says so, and is asked again", async () => {
    vi.spyOn(AbortSignal, "timeout").mockImplementation((wait_ms) => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(new DOMException("late", "TimeoutError")), wait_ms);
      return stop.signal;
    });
    const hanging = vi.fn(
      (_request: Request, { signal }: RequestInit) =>
        new Promise<Response>((_, fail) => signal!.addEventListener("abort", () => fail(signal!.reason))),
    );
    vi.stubGlobal("fetch", hanging);
    const answers = new Answers();
    const ask = () => answered(client.GET("/api/meta", { baseUrl: "http://district" }));
    const answer = answers.hold({ key: "meta", topics: ["matter"], ask });
    await settled();
    answers.happened("matter.opened");
    expect([answer.asking, answer.refusal]).toEqual([true, null]);
    await vi.advanceTimersByTimeAsync(READ_MS);
    expect([answer.refusal, hanging.mock.calls.length]).toEqual(["无法连接服务器。", 2]);
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });
});
