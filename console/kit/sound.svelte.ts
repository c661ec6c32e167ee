// The alarm sound. A browser only lets a page sound after somebody has acted on it: `unlock` is that act.

const BEEP_S = 0.18;
const TONES_HZ = [880, 660, 880];

class Sound {
  unlocked = $state(false);
  #context: AudioContext | null = null;

  /** Let the page sound from now on, and prove it with one quiet signal. False when it cannot. */
  async unlock(loudness = 0.15): Promise<boolean> {
    try {
      this.#context ??= new AudioContext();
      await this.#context.resume();
    } catch {
      return false;
    }
    this.unlocked = this.#context.state === "running";
    if (this.unlocked) this.signal(loudness);
    return this.unlocked;
  }

  mute(): void {
    this.unlocked = false;
    void this.#context?.suspend();
  }

  /** Three tones. */
  signal(loudness = 0.5): void {
    const context = this.#context;
    if (!context || !this.unlocked) return;
    TONES_HZ.forEach((tone_hz, index) => {
      const at = context.currentTime + index * BEEP_S * 1.3;
      const gain = context.createGain();
      const oscillator = context.createOscillator();
      oscillator.frequency.value = tone_hz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(loudness, at + 0.01);
      gain.gain.linearRampToValueAtTime(0, at + BEEP_S);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(at);
      oscillator.stop(at + BEEP_S);
    });
  }
}

export const sound = new Sound();
