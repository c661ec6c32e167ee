// One clock for everything on screen that counts: a beat of this machine's monotonic time, in milliseconds.

class Pulse {
  now_ms = $state(0);

  start(every_ms = 200): () => void {
    this.now_ms = performance.now();
    const timer = setInterval(() => (this.now_ms = performance.now()), every_ms);
    return () => clearInterval(timer);
  }
}

export const pulse = new Pulse();
