// What the server says in dictionary keys: subjects of matters, why a clock is due, how a matter ended.
import { dictionary } from "$kit/i18n.svelte";
import { reading } from "$kit/reading.svelte";
import { levelName } from "./words";

type Params = Record<string, unknown>;
/** Says the name of a zone, gate or sensor by its code. */
export type Naming = (code: string) => string;

const words = dictionary(
  {
    level: (where: string, level: string, density: string) => `${where}：${level}，${density} 人/㎡`,
    levelPending: (where: string, level: string, density: string) => `${where}：${density} 人/㎡，待确认${level}`,
    warning: (where: string, level: string, at: string, chance: string) => `${where}：预计 ${at} 前后达到${level}（${chance}）`,
    flow: (where: string, flow: string) => `${where} 流量过大：${flow} 人/米/分`,
    silent: (n: number, what: string) => (n > 1 ? `${n} 个传感器失联：${what}` : `传感器失联：${what}`),
    disagrees: (what: string) => `传感器读数不一致：${what}`,
    comma: "、",
    more: (n: number) => `另 ${n} 个`,
    incident: (what: string, text: string) => (text ? `${what}：${text}` : what),
    unclassified: "警情（待定类别）",
    request: "服务请求",
    note: "备忘",
    answer: (p: string, span: string) => `P${p} 事项须在 ${span} 内确认接收`,
    arrive: (span: string) => `报警后 ${span} 内须有人到场`,
    within: (span: string) => `须在 ${span} 内完成`,
    outcomes: { "outcome.subsided": "人群已恢复正常", "outcome.recovered": "传感器已恢复", "outcome.duplicate": "重复警情", "outcome.cancelled": "已撤销", "outcome.came": "预警等级已达到，由人群告警接续", "outcome.averted": "采取措施后未达到", "outcome.passed": "自行消退" },
  },
  {
    level: (where, level, density) => `${where}: ${level}, ${density} p/m²`,
    levelPending: (where, level, density) => `${where}: ${density} p/m², ${level} to be confirmed`,
    warning: (where, level, at, chance) => `${where}: ${level} expected at about ${at} (${chance})`,
    flow: (where, flow) => `${where}: flow too high, ${flow} p/m/min`,
    silent: (n, what) => (n > 1 ? `${n} sensors silent: ${what}` : `Sensor silent: ${what}`),
    disagrees: (what) => `Sensor disagrees: ${what}`,
    comma: ", ",
    more: (n) => `and ${n} more`,
    incident: (what, text) => (text ? `${what}: ${text}` : what),
    unclassified: "Incident, not classified",
    request: "Request",
    note: "Note",
    answer: (p, span) => `A P${p} matter is to be acknowledged within ${span}`,
    arrive: (span) => `Somebody is to be there within ${span} of the call`,
    within: (span) => `To be done within ${span}`,
    outcomes: { "outcome.subsided": "The crowd is back to normal", "outcome.recovered": "The sensor has recovered", "outcome.duplicate": "A duplicate", "outcome.cancelled": "Cancelled", "outcome.came": "The level was reached; its alarm takes over", "outcome.averted": "Averted: something was done, and it did not come", "outcome.passed": "It passed by itself" },
  },
);

const text = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "");
const levelWords = (value: unknown) => `${text(value)} ${levelName(Number(value))}`;

const sensorsOf = (params: Params): string[] => Object.keys((params["sensors"] ?? {}) as object);
const LISTED = 3;

/** The first few names, and how many there are besides. */
function listed(names: string[]): string {
  const first = names.slice(0, LISTED).join(words.comma);
  return names.length > LISTED ? `${first} ${words.more(names.length - LISTED)}` : first;
}

/** What a matter is about, in the chosen language. A subject we do not know is shown as it came. */
export function subjectOf(
  matter: { subject: string; params: Params; text: string },
  naming: Naming,
): string {
  const { params } = matter;
  switch (matter.subject) {
    case "matter.crowd.level": {
      const density = reading.formats.number(Number(params["density"]), 1);
      const where = naming(text(params["zone"]));
      return params["pending"] == null
        ? words.level(where, levelWords(params["level"]), density)
        : words.levelPending(where, levelWords(params["pending"]), density);
    }
    case "matter.crowd.warning": {
      const { formats } = reading;
      const at = formats.minute(text(params["expected_at"]));
      const chance = formats.share(Number(params["chance"]));
      return words.warning(naming(text(params["zone"])), levelWords(params["level"]), at, chance);
    }
    case "matter.crowd.flow":
      return words.flow(naming(text(params["gate"])), reading.formats.number(Number(params["flow"]), 0));
    case "matter.sensor.silent":
      return words.silent(sensorsOf(params).length, listed(sensorsOf(params).map(naming)));
    case "matter.sensor.disagrees":
      return words.disagrees(listed(sensorsOf(params).map(naming)));
    case "matter.incident": {
      const name = text(params[reading.formats.language === "zh" ? "name_zh" : "name_en"]);
      return words.incident(name || words.unclassified, matter.text);
    }
    case "matter.request":
      return matter.text || words.request;
    case "matter.note":
      return matter.text || words.note;
    default:
      return matter.text || matter.subject;
  }
}

/** Why a clock is due. */
export function reasonOf(because: string, params: Params): string {
  const span = reading.formats.span(Number(params["within_s"] ?? 0));
  if (because === "due.arrive") return words.arrive(span);
  return because === "due.answer" ? words.answer(text(params["priority"]), span) : words.within(span);
}

/** How a matter ended: one of the system's outcomes, or a person's words. */
export const outcomeOf = (outcome: string): string =>
  words.outcomes[outcome as keyof typeof words.outcomes] ?? outcome;
