// The phone's own service worker: the app opens without a network; a new version waits until somebody takes it.

class Updates {
  waiting = $state.raw<ServiceWorker | null>(null);

  async start(): Promise<void> {
    if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
    const told = await navigator.serviceWorker
      .register("/field/service-worker.js", { scope: "/field/" })
      .catch(() => null);
    if (!told) return;
    const look = () => told.active && told.waiting && (this.waiting = told.waiting);
    look();
    told.addEventListener("updatefound", () => told.installing?.addEventListener("statechange", look));
  }

  take(): void {
    this.waiting?.addEventListener("statechange", () => this.waiting?.state === "activated" && location.reload());
    this.waiting?.postMessage("update");
  }
}

export const updates = new Updates();
