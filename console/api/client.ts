// The typed client. Paths, parameters and answers come from the server's own description (schema.ts).
import createClient, { type Middleware } from "openapi-fetch";
import { language, type Both } from "$kit/i18n.svelte";
import { reach } from "./reach.svelte";
import { session } from "./session.svelte";
import type { components, paths } from "./schema";

export type Shape = components["schemas"];

/** A refusal of the server, in both languages. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly both: Both,
    readonly details: Record<string, unknown> = {},
  ) {
    super(both.en);
  }

  get words(): string {
    return this.both[language.current];
  }

  /** Refused for good; otherwise what was sent may stand, or may be taken yet: signed out, or the server is busy. */
  get final(): boolean {
    return ![0, 401, 408, 429].includes(this.status) && this.status < 500;
  }
}

const UNREACHED: Both = { zh: "无法连接服务器。", en: "The server cannot be reached." };
const FAILED: Both = { zh: "请求失败。", en: "The request failed." };

const guard: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET" && session.csrfToken) request.headers.set("X-CSRF-Token", session.csrfToken);
    return request;
  },
  onResponse({ request, response }) {
    if (response.status < 500) reach.heard();
    if (response.status === 401 && !request.url.endsWith("/api/session")) session.ended();
    return response;
  },
};

export const READ_MS = 15_000;
export const WRITE_MS = 60_000;
/** A photograph over a slow network. */
export const UPLOAD_MS = 120_000;

/** A server that is switched off, or a network that is gone, answers never: no question waits longer than this. */
function asked(request: Request): Promise<Response> {
  const limit = AbortSignal.timeout(request.method === "GET" ? READ_MS : WRITE_MS);
  return fetch(request, { signal: AbortSignal.any?.([request.signal, limit]) ?? limit });
}

export const client = createClient<paths>({ baseUrl: "", fetch: asked });
client.use(guard);

/** Called whenever the server says that somebody may not: what they may see may have changed. */
export const hooks = { forbidden: () => {} };

type Answered = { data?: unknown; error?: unknown; response: Response };

/** What was answered, or `Refused`. */
export async function answered<A extends Answered>(asking: Promise<A>): Promise<NonNullable<A["data"]>> {
  let answer: A;
  try {
    answer = await asking;
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === "AbortError") throw problem;
    throw new Refused(0, "network", UNREACHED);
  }
  if (answer.response.ok) return answer.data as NonNullable<A["data"]>;
  if (answer.response.status === 403) hooks.forbidden();
  const told = answer.error as { error?: string; message?: Both; details?: Record<string, unknown> } | undefined;
  throw new Refused(answer.response.status, told?.error ?? "http", told?.message ?? FAILED, told?.details);
}

/** What to say of a failure, in the chosen language. */
export const saidOf = (problem: unknown): string =>
  problem instanceof Refused ? problem.words : FAILED[language.current];
