// When the server was heard last, by this machine's clock; kept across reloads, so that an offline page can say
// since when it is silent.

const KEPT = "anshang.heard";
const KEEP_EVERY_MS = 5000;

class Reach {
  heardAt_ms = $state<number | null>(null);
  #keptAt_ms = 0;

  recall(): void {
    const kept = Number(localStorage.getItem(KEPT));
    this.heardAt_ms = kept > 0 ? kept : null;
  }

  heard(at_ms: number = Date.now()): void {
    this.heardAt_ms = at_ms;
    if (Math.abs(at_ms - this.#keptAt_ms) < KEEP_EVERY_MS) return;
    this.#keptAt_ms = at_ms;
    localStorage.setItem(KEPT, String(at_ms));
  }
}

export const reach = new Reach();
