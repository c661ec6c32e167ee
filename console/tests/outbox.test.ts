import { expect, test } from "vitest";
import { anchored, timeAt } from "../field/src/outbox/clock.svelte";
import { about, Outbox, type Row, type Sent, type Shelf } from "../field/src/outbox/outbox.svelte";
import { overlaid } from "../field/src/outbox/overlay";
import { Positions, type Fix, type FixShelf } from "../field/src/outbox/positions.svelte";

/** A phone's shelf that outlives the page. */
function shelf(): Shelf {
  const kept = new Map<number, Row>();
  let next = 1;
  return {
    list: async () => [...kept.values()],
    put: async (row) => {
      const seq = row.seq ?? next++;
      kept.set(seq, { ...row, seq });
      return seq;
    },
    remove: async (seq) => void kept.delete(seq),
  };
}

/** A server that answers with what it is told to, and keeps what it has taken. */
function server() {
  const taken: string[] = [];
  const state = { answer: (_key: string): Sent | null => ({ status: 200, refusal: "" }) };
  const send = async (row: Row) => {
    const answer = state.answer(row.key);
    if (answer && answer.status < 300) taken.push(row.key);
    return answer;
  };
  return { taken, state, send };
}

/** Time that passes when it is told to. */
function alarms() {
  const due: { at_ms: number; run: () => void }[] = [];
  const waits: number[] = [];
  const after = (wait_ms: number, run: () => void) => {
    waits.push(wait_ms);
    const one = { at_ms: wait_ms, run };
    due.push(one);
    return () => void due.splice(due.indexOf(one), due.includes(one) ? 1 : 0);
  };
  const ring = async () => {
    due.splice(0).forEach((one) => one.run());
    await settled();
  };
  return { after, ring, waits };
}

const settled = async () => {
  for (let turn = 0; turn < 1000; turn++) await Promise.resolve();
};
const row = (key: string) => ({ key, path: "/api/x", body: { key }, label: key, at_ms: 0 });
const keys = Array.from({ length: 20 }, (_, number) => `k${number}`);

test("twenty acts of half an hour offline arrive once each, in their order, also after a reload", async () => {
  const [kept, { taken, state, send }, { after, ring }] = [shelf(), server(), alarms()];
  state.answer = () => null;
  const before = new Outbox(kept, send, alarms().after);
  for (const key of keys) await before.put(row(key));
  await settled();
  expect([taken, before.waiting.length]).toEqual([[], 20]);
  const reloaded = new Outbox(kept, send, after);
  await reloaded.recall();
  await settled();
  expect(reloaded.waiting.map((one) => one.key)).toEqual(keys);
  state.answer = () => ({ status: 200, refusal: "" });
  await ring();
  expect(taken).toEqual(keys);
  expect(await kept.list()).toEqual([]);
});

test("a server that fails or is busy is asked again, later and later, with jitter", async () => {
  const [kept, { state, send }, { after, ring, waits }] = [shelf(), server(), alarms()];
  const answers: (Sent | null)[] = [null, { status: 503, refusal: "" }, { status: 429, refusal: "" }, { status: 408, refusal: "" }];
  state.answer = () => (answers.length ? answers.shift()! : { status: 200, refusal: "" });
  const outbox = new Outbox(kept, send, after, () => 1);
  await outbox.put(row("a"));
  await settled();
  for (let turn = 0; turn < 4; turn++) await ring();
  expect(waits).toEqual([1000, 2000, 4000, 8000]);
  expect(outbox.rows).toEqual([]);
});

test("what is refused for good is moved aside to be seen, and the next goes on", async () => {
  const [kept, { taken, state, send }, { after }] = [shelf(), server(), alarms()];
  state.answer = (key) => (key === "b" ? { status: 409, refusal: "too late" } : { status: 204, refusal: "" });
  const outbox = new Outbox(kept, send, after);
  for (const key of ["a", "b", "c"]) await outbox.put(row(key));
  await settled();
  expect(taken).toEqual(["a", "c"]);
  expect(outbox.refused.map((one) => [one.key, one.refusal])).toEqual([["b", "too late"]]);
  expect((await kept.list()).length).toBe(1);
  await outbox.discard(outbox.refused[0]!);
  expect(await kept.list()).toEqual([]);
});

test("access that is gone blocks nobody: the row is shown with its reason, and the next ones are sent", async () => {
  const [kept, { taken, state, send }, { after }] = [shelf(), server(), alarms()];
  state.answer = (key) => (key === "a" ? { status: 403, refusal: "no access" } : { status: 200, refusal: "" });
  const outbox = new Outbox(kept, send, after);
  for (const key of ["a", "b", "c"]) await outbox.put(row(key));
  await settled();
  expect([taken, outbox.waiting.length]).toEqual([["b", "c"], 0]);
  expect(outbox.refused.map((one) => one.refusal)).toEqual(["no access"]);
});

test("a row that the server fails at holds up only what is told of the same thing", async () => {
  const [kept, { taken, state, send }, { after, ring, waits }] = [shelf(), server(), alarms()];
  const task = "019400aa-0000-7000-8000-000000000001";
  let ill = true;
  state.answer = (key) => (ill && key === "accept" ? { status: 500, refusal: "fault" } : { status: 200, refusal: "" });
  const outbox = new Outbox(kept, send, after, () => 1);
  await outbox.put({ ...row("accept"), path: `/api/assignments/${task}/answer?district=x` });
  await outbox.put({ ...row("move"), path: `/api/assignments/${task}/steps?district=x` });
  await outbox.put(row("report"));
  await settled();
  expect(taken).toEqual(["report"]);
  expect(outbox.waiting.map((one) => [one.key, one.trouble])).toEqual([["accept", "fault"], ["move", undefined]]);
  ill = false;
  await ring();
  expect([taken, waits[0]]).toEqual([["report", "accept", "move"], 1000]);
});

test("a picture is told of what it belongs to, and waits behind it", () => {
  const [picture, report] = ["019400aa-0000-7000-8000-000000000002", "019400aa-0000-7000-8000-000000000003"];
  const path = `/api/photos/${picture}?district=x&purpose=report&of=${report}`;
  expect(about({ path, body: null, key: "p" })).toBe(about({ path: "/api/incidents?district=x", body: { id: report }, key: "r" }));
});

test("what waits can be discarded, also while it is being sent, and does not come back", async () => {
  const kept = shelf();
  let answer: (sent: Sent | null) => void = () => {};
  const outbox = new Outbox(kept, () => new Promise((told) => (answer = told)), alarms().after);
  await outbox.put(row("a"));
  await settled();
  await outbox.discard(outbox.waiting[0]!);
  answer(null);
  await settled();
  expect([outbox.rows, await kept.list()]).toEqual([[], []]);
});

test("a phone two hours wrong in another year shows the district's time, and a slow answer moves no clock", () => {
  const [district_ms, device_ms] = [Date.parse("2024-12-31T12:44:00Z"), Date.parse("2026-11-30T09:00:00Z")];
  const first = anchored(null, district_ms, 100, device_ms, 20);
  expect(timeAt(first, device_ms + 1000)).toBe(district_ms + 1000 + 20_000);
  const slow = anchored(first, district_ms + 1000 + 20_000 - 60_000, 4000, device_ms + 1000, 20);
  expect(slow, "written up to 80 s of the district's time ago").toBe(first);
  const stepped = anchored(first, district_ms + 200_000, 100, device_ms + 7_200_000 + 10_000, 20);
  expect(timeAt(stepped, device_ms + 7_210_000)).toBe(district_ms + 200_000 + 1000);
});

test("what was taken is told before it leaves the list, so that nothing flickers back", async () => {
  const [kept, { send }, { after }] = [shelf(), server(), alarms()];
  const outbox = new Outbox(kept, send, after);
  const seen: [string | undefined, number][] = [];
  outbox.onsent = (one) => seen.push([one?.key, outbox.waiting.length]);
  await outbox.put(row("a"));
  await settled();
  expect([seen, outbox.waiting.length]).toEqual([[["a", 1]], 0]);
});

test("signed out, it waits for whoever signs in", async () => {
  const [kept, { taken, state, send }, { after, ring }] = [shelf(), server(), alarms()];
  state.answer = () => ({ status: 401, refusal: "" });
  const outbox = new Outbox(kept, send, after);
  await outbox.put(row("a"));
  await settled();
  expect(outbox.waiting.length).toBe(1);
  state.answer = () => ({ status: 200, refusal: "" });
  await ring();
  expect(taken).toEqual(["a"]);
});

test("a tap shows at once, before any server has heard it", () => {
  const task = { id: "t", state: "offered" };
  const told = { tasks: [task], messages: [], roll_calls: [], lone: null } as unknown as Parameters<typeof overlaid>[0];
  const accept = { ...row("a"), path: "/api/assignments/t/answer?district=x", body: { accepted: true }, tries: 0 };
  const move = { ...row("m"), path: "/api/assignments/t/steps?district=x", body: { step: "moving" }, tries: 0 };
  const done = { ...move, body: { step: "done" } };
  expect(overlaid(told, []).tasks[0]!.state).toBe("offered");
  expect(overlaid(told, [accept, move]).tasks[0]!.state).toBe("moving");
  expect(overlaid(told, [accept, move, done]).tasks).toEqual([]);
});

test("a message written without a network stands among the messages, once", () => {
  const told = { tasks: [], messages: [], roll_calls: [], lone: null } as unknown as Parameters<typeof overlaid>[0];
  const said = { ...row("s"), path: "/api/messages?district=x", body: { id: "m", text: "west gate" }, tries: 0 };
  const shown = overlaid(told, [said]);
  expect(shown.messages.map((one) => [one.id, one.text, one.mine])).toEqual([["m", "west gate", true]]);
  expect(overlaid(shown, [said]).messages.length).toBe(1);
});

test("positions are kept each 15 s on the move, each minute at rest, and sent when somebody hears", async () => {
  const kept = new Map<string, Fix>();
  const fixes: FixShelf = {
    list: async (most) => [...kept.values()].slice(0, most),
    put: async (fix) => void kept.set(fix.at, fix),
    count: async () => kept.size,
    remove: async (ats) => ats.forEach((at) => kept.delete(at)),
    clear: async () => kept.clear(),
  };
  const sent: Fix[] = [];
  let heard = false;
  const send = async (batch: Fix[]) => heard && sent.push(...batch) > 0;
  const positions = new Positions(fixes, send, undefined);
  const at = (second: number, metres: number) =>
    positions.take(second * 1000, { longitude: 112.97 + metres / 98_000, latitude: 28.19, accuracy: 5 });
  for (let second = 0; second <= 60; second += 5) await at(second, second * 1.3);
  expect([...kept.values()].map((fix) => Date.parse(fix.at) / 1000)).toEqual([0, 15, 30, 45, 60]);
  for (let second = 65; second <= 180; second += 5) await at(second, 78);
  expect(kept.size).toBe(7);
  heard = true;
  await positions.pump();
  expect([sent.length, kept.size]).toEqual([7, 0]);
  await at(300, 500);
  heard = false;
  await at(330, 900);
  await positions.stop();
  expect(kept.size, "off duty nothing is kept").toBe(0);
});
