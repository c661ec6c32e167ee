// What the server said, kept by question for everybody who looks at it. Thin events from the live stream say which
// questions to ask again; what is on screen stays until the new answer is here.
import { untrack } from "svelte";
import { saidOf } from "./client";

export type Question<T> = {
  /** Says everything the answer depends on: equal keys share one answer. */
  key: string;
  /** First words of journal kinds ("matter") after which the answer may have changed. */
  topics: readonly string[];
  ask: () => Promise<T>;
};

const SETTLE_MS = 120;
const KEPT_MS = 60_000;

export class Answer<T> {
  value = $state.raw<T | undefined>(undefined);
  refusal = $state<string | null>(null);
  answeredAt_ms = $state<number | null>(null);
  asking = $state(false);
  holders = 0;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly question: Question<T>) {}

  /** Ask again soon; many calls within a moment are one. */
  invalidate(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.refresh();
    }, SETTLE_MS);
  }

  /** Ask now; while an answer is under way, once more after it. */
  refresh(): void {
    if (this.asking) {
      this.#again = true;
      return;
    }
    void this.#ask();
  }

  async #ask(): Promise<void> {
    this.asking = true;
    try {
      const told = await this.question.ask();
      // what says the same stays the same object: nothing that depends on it is made anew
      if (JSON.stringify(told) !== JSON.stringify(this.value)) this.value = told;
      this.refusal = null;
      this.answeredAt_ms = performance.now();
    } catch (problem) {
      this.refusal = saidOf(problem);
    }
    this.asking = false;
    if (this.#again) {
      this.#again = false;
      this.refresh();
    }
  }
}

export class Answers {
  readonly #kept = new Map<string, Answer<unknown>>();

  /** The answer to a question, asked when it was not yet; hold it while it is shown. */
  hold<T>(question: Question<T>): Answer<T> {
    const known = this.#kept.get(question.key) as Answer<T> | undefined;
    const answer = known ?? new Answer(question);
    this.#kept.set(question.key, answer as Answer<unknown>);
    if (answer.holders === 0) answer.refresh();
    answer.holders += 1;
    return answer;
  }

  release(answer: Answer<unknown>): void {
    answer.holders -= 1;
    setTimeout(() => {
      if (answer.holders === 0 && this.#kept.get(answer.question.key) === answer)
        this.#kept.delete(answer.question.key);
    }, KEPT_MS);
  }

  /** Something of this kind happened: whoever is shown and depends on it is asked again. */
  happened(kind: string): void {
    const noun = kind.split(".", 1)[0]!;
    this.#each((answer) => answer.question.topics.includes(noun) && answer.invalidate());
  }

  /** Anything may have happened. */
  all(): void {
    this.#each((answer) => answer.invalidate());
  }

  forget(): void {
    this.#kept.clear();
  }

  #each(visit: (answer: Answer<unknown>) => unknown): void {
    for (const answer of this.#kept.values()) if (answer.holders > 0) visit(answer);
  }
}

export const answers = new Answers();

/** The answer to a question for as long as the calling component stands; a null question has none. The previous
 * answer of the same kind is not shown for another question. */
export function useAnswer<T>(question: () => Question<T> | null): {
  readonly value: T | undefined;
  readonly refusal: string | null;
  readonly answeredAt_ms: number | null;
  readonly asking: boolean;
  refresh(): void;
} {
  let held = $state.raw<Answer<T> | null>(null);
  const key = $derived(question()?.key ?? null);
  $effect.pre(() => {
    if (key === null) {
      held = null;
      return;
    }
    const answer = untrack(() => answers.hold(question()!));
    held = answer;
    return () => answers.release(answer as Answer<unknown>);
  });
  return {
    get value() {
      return held?.value;
    },
    get refusal() {
      return held?.refusal ?? null;
    },
    get answeredAt_ms() {
      return held?.answeredAt_ms ?? null;
    },
    get asking() {
      return held?.asking ?? false;
    },
    refresh: () => held?.refresh(),
  };
}
