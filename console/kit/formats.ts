// Figures and instants as people read them: in one language and in the district's own time zone.
import type { Language } from "./i18n.svelte";

export type Instant = string | number | Date;

const LOCALE = { zh: "zh-CN", en: "en-GB" } as const;
const MINUTE_S = 60;
const HOUR_S = 3600;

/** m:ss below an hour, h:mm:ss from there; a leading minus when negative. */
export function stopwatch(seconds: number): string {
  const whole = Math.floor(Math.abs(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / HOUR_S), Math.floor((whole % HOUR_S) / MINUTE_S), whole % MINUTE_S];
  return (seconds <= -1 ? "−" : "") + (h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`);
}

export class Formats {
  readonly #locale: string;
  readonly #digits = new Map<string, Intl.NumberFormat>();
  readonly #times = new Map<string, Intl.DateTimeFormat>();

  constructor(
    readonly language: Language,
    readonly timeZone: string,
  ) {
    this.#locale = LOCALE[language];
  }

  /** A figure with a fixed number of decimals, "–" when there is none. */
  number(value: number | null | undefined, decimals = 0): string {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    return this.#number({ minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);
  }

  /** A figure that always shows its sign. */
  signed(value: number | null | undefined, decimals = 0): string {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    return this.#number({ ...options, signDisplay: "exceptZero" }).format(value).replace("-", "−");
  }

  /** A large figure in few characters: 26.7万 · 267K. */
  compact(value: number | null | undefined): string {
    if (value === null || value === undefined) return "–";
    return this.#number({ notation: "compact", maximumFractionDigits: 1 }).format(value);
  }

  share(value: number | null | undefined): string {
    if (value === null || value === undefined) return "–";
    return this.#number({ style: "percent", maximumFractionDigits: 0 }).format(value);
  }

  /** 21:14:07 */
  clock(at: Instant): string {
    return this.#time({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(new Date(at));
  }

  /** 21:14 */
  minute(at: Instant): string {
    return this.#time({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(at));
  }

  /** 12月31日 周二 · Tue 31 Dec */
  day(at: Instant): string {
    return this.#time({ month: "short", day: "numeric", weekday: "short" }).format(new Date(at));
  }

  /** The day and the minute. */
  moment(at: Instant): string {
    return `${this.day(at)} ${this.minute(at)}`;
  }

  /** A span in words: 40 s, 3 min 12 s, 2 h 5 min. */
  span(seconds: number): string {
    const zh = this.language === "zh";
    const whole = Math.max(0, Math.round(seconds));
    if (whole < MINUTE_S) return `${whole}${zh ? " 秒" : " s"}`;
    const [h, m, s] = [Math.floor(whole / HOUR_S), Math.floor((whole % HOUR_S) / MINUTE_S), whole % MINUTE_S];
    if (h > 0) return zh ? `${h} 小时${m ? ` ${m} 分` : ""}` : `${h} h${m ? ` ${m} min` : ""}`;
    return zh ? `${m} 分${s ? ` ${s} 秒` : "钟"}` : `${m} min${s ? ` ${s} s` : ""}`;
  }

  /** The age of what is on screen: tenths below ten seconds, then whole words. */
  age(seconds: number): string {
    if (seconds >= 10) return this.span(seconds);
    return `${this.number(Math.max(0, seconds), 1)}${this.language === "zh" ? " 秒" : " s"}`;
  }

  #number(options: Intl.NumberFormatOptions): Intl.NumberFormat {
    const key = JSON.stringify(options);
    let made = this.#digits.get(key);
    if (!made) this.#digits.set(key, (made = new Intl.NumberFormat(this.#locale, options)));
    return made;
  }

  #time(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    const key = JSON.stringify(options);
    let made = this.#times.get(key);
    if (!made) {
      made = new Intl.DateTimeFormat(this.#locale, { ...options, timeZone: this.timeZone });
      this.#times.set(key, made);
    }
    return made;
  }
}
