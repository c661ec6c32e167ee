// The service worker, where the browser allows one (HTTPS or this machine). A new version of the console waits
// until somebody takes it; other tabs are not loaded anew for it, and keep what is being written there.

const LOOK_EVERY_MS = 3_600_000;

class Updates {
  /** A version that waits to be taken. */
  waiting = $state.raw<ServiceWorker | null>(null);

  async start(): Promise<void> {
    if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
    const registration = await navigator.serviceWorker.register("/service-worker.js").catch(() => null);
    if (!registration) return;
    this.#look(registration);
    registration.addEventListener("updatefound", () => {
      registration.installing?.addEventListener("statechange", () => this.#look(registration));
    });
    setInterval(() => registration.update().catch(() => {}), LOOK_EVERY_MS);
  }

  /** Take the version that waits, and load the page anew. */
  take(): void {
    const next = this.waiting;
    if (!next || next.state === "activated") return location.reload();
    next.addEventListener("statechange", () => next.state === "activated" && location.reload());
    next.postMessage("update");
  }

  #look({ active, waiting }: ServiceWorkerRegistration): void {
    if (active && waiting) this.waiting = waiting;
  }
}

export const updates = new Updates();
