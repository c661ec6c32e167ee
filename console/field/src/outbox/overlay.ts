// The state as it will be once what waits has been told: a tap shows at once, also where no server hears it.
import type { Shape } from "$api/client";
import { iso } from "./clock.svelte";
import type { Row } from "./outbox.svelte";

type FieldState = Shape["FieldShown"];
type Task = Shape["TaskShown"];

const ANSWER = /^\/api\/assignments\/([^/]+)\/answer/;
const STEP = /^\/api\/assignments\/([^/]+)\/steps/;
const SAID = /^\/api\/messages\?/;
const READ = /^\/api\/messages\/([^/]+)\/read/;
const HERE = /^\/api\/roll-calls\/([^/]+)\/answer/;
const BACK = /^\/api\/lone\/([^/]+)\/end/;

function changed(task: Task, row: Row): Task | null {
  const body = row.body as { accepted?: boolean; step?: string };
  if (ANSWER.exec(row.path)?.[1] === task.id) return body.accepted ? { ...task, state: "accepted" } : null;
  if (STEP.exec(row.path)?.[1] !== task.id) return task;
  return body.step === "done" ? null : { ...task, state: body.step! };
}

/** A message of one's own that the server has not told us back. */
function written(row: Row, at: string): FieldState["messages"][number] {
  const { id, text } = row.body as { id: string; text: string };
  const nobody = { from_name: "", from_unit_id: null, to_unit_id: null, incident_id: null, read_at: null, read_by: [] };
  return { ...nobody, id, text, at, received_at: at, kind: "message", report: {}, mine: true };
}

export function overlaid(told: FieldState, waiting: readonly Row[]): FieldState {
  let shown = told;
  for (const row of waiting) {
    const at = iso(row.at_ms);
    const tasks = shown.tasks.map((task) => changed(task, row)).filter((task) => task !== null);
    const read = READ.exec(row.path)?.[1];
    const here = HERE.exec(row.path)?.[1];
    const back = BACK.exec(row.path)?.[1];
    const said = SAID.test(row.path) ? [written(row, at)] : [];
    shown = {
      ...shown,
      tasks,
      messages: [...shown.messages, ...said.filter((one) => !shown.messages.some((two) => two.id === one.id))].map((one) => (one.id === read ? { ...one, read_at: at } : one)),
      roll_calls: shown.roll_calls.map((one) => (one.id === here ? { ...one, answered_at: at } : one)),
      lone: shown.lone?.id === back && back !== undefined ? null : shown.lone,
    };
  }
  return shown;
}
