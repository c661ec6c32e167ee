// Orders that are about to be stood down: for as long as it can be undone nobody is called off and nothing is sent. A
// page that is closed meanwhile leaves the order standing.
import { answered, client, saidOf } from "$api/client";
import { answers } from "$api/queries.svelte";
import { toasts, UNDO_MS } from "$kit/toasts.svelte";
import { words } from "./words";

export const TOPICS = ["order", "notice", "assignment", "matter", "incident"];

class Ending {
  ids = $state.raw<readonly string[]>([]);
  #timers = new Map<string, ReturnType<typeof setTimeout>>();

  begin(district: string, id: string): void {
    this.ids = [...this.ids, id];
    const timer = setTimeout(() => {
      this.stop(id);
      void standDown(district, id);
    }, UNDO_MS);
    this.#timers.set(id, timer);
    toasts.say(words.standingDown, () => this.stop(id));
  }

  stop(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.ids = this.ids.filter((one) => one !== id);
  }
}

async function standDown(district: string, id: string): Promise<void> {
  const params = { path: { id }, query: { district } };
  try {
    await answered(client.POST("/api/orders/{id}/stand-down", { params }));
    toasts.say(words.stoodDown);
  } catch (problem) {
    toasts.refuse(saidOf(problem));
  }
  for (const topic of TOPICS) answers.happened(topic);
}

export const ending = new Ending();
