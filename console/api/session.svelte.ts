// Who is signed in, as the server said it last, and the installation's own notice (version, demonstration).
import { answered, client, Refused, type Shape } from "./client";
import { language, type Language } from "$kit/i18n.svelte";

export type SessionState = "unknown" | "none" | "open";
export type Permission = string;

/** A server that is switched off may leave a question hanging for minutes. */
const RECALL_MS = 5000;

class Session {
  state = $state<SessionState>("unknown");
  account = $state.raw<Shape["AccountShown"] | null>(null);
  districts = $state.raw<Shape["DistrictShown"][]>([]);
  meta = $state.raw<Shape["Meta"] | null>(null);
  csrfToken = "";
  #permissions = $state.raw<ReadonlySet<Permission>>(new Set());

  may(permission: Permission): boolean {
    return this.#permissions.has(permission);
  }

  /** Ask who is signed in. Throws `Refused` when the server cannot say. */
  async recall(): Promise<void> {
    const soon = () => ({ signal: AbortSignal.timeout(RECALL_MS) });
    this.meta ??= await answered(client.GET("/api/meta", soon()));
    try {
      await this.#opened(await answered(client.GET("/api/session", soon())));
    } catch (problem) {
      if (!(problem instanceof Refused) || problem.status !== 401) throw problem;
      this.ended();
    }
  }

  /** `chosen` is the language that was picked before: it stays, and becomes the account's. */
  async signIn(name: string, password: string, chosen?: Language): Promise<void> {
    const opened = await answered(client.POST("/api/session", { body: { name, password } }));
    this.csrfToken = opened.csrf_token;
    if (chosen && chosen !== opened.account.language)
      opened.account = await answered(client.PATCH("/api/session/language", { body: { language: chosen } }));
    await this.#opened(opened);
  }

  async signOut(): Promise<void> {
    await answered(client.DELETE("/api/session"));
    this.ended();
  }

  /** The server no longer knows us. */
  ended(): void {
    this.state = "none";
    this.account = null;
    this.csrfToken = "";
    this.#permissions = new Set();
  }

  async chooseLanguage(chosen: Language): Promise<void> {
    language.choose(chosen);
    if (this.state === "open")
      this.account = await answered(client.PATCH("/api/session/language", { body: { language: chosen } }));
  }

  async #opened(opened: Shape["SessionShown"]): Promise<void> {
    this.csrfToken = opened.csrf_token;
    this.account = opened.account;
    this.#permissions = new Set(opened.permissions);
    language.choose(opened.account.language === "en" ? "en" : "zh");
    this.districts = this.may("place.read") ? await answered(client.GET("/api/districts")) : [];
    this.state = "open";
  }
}

export const session = new Session();
