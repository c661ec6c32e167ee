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
    dead: (what: string) => `传感器持续报零：${what}`,
    burst: (what: string) => `传感器中断后补报累计数，未计入：${what}`,
    comma: "、",
    more: (n: number) => `另 ${n} 个`,
    incident: (what: string, text: string) => (text ? `${what}：${text}` : what),
    calls: (what: string, n: number) => `${what}（此处呼叫集中，至少 ${n} 次）`,
    unclassified: "警情（待定类别）",
    at: "，",
    unplaced: "位置不明",
    lookout: (who: string) => `走失协查：${who}`,
    lookoutFrom: (who: string, from: string) => `走失协查：${who}，由${from}转来`,
    lookoutBeside: (who: string, where: string, found: boolean) => `走失协查：${where}报告${found ? "已找到" : "看到"}${who}`,
    lookoutFound: (who: string, by: string) => `走失协查：${who}已找到${by && `（${by}）`}，待移交`,
    lookoutSeen: (who: string, where: string) => `走失协查：${where} 报告看到${who}`,
    lookoutSupervisor: (who: string) => `走失协查：${who}，已满 15 分钟，请值班长`,
    lookoutMissing: (who: string) => `走失协查：${who}，已满 20 分钟，启动失踪人员程序`,
    lookoutRefused: (who: string) => `走失协查：${who}，来领人未通过核验`,
    sorts: { child: "儿童", elderly: "老人", group: "同行人", item: "失物" },
    found: (span: string) => `协查发起后 ${span} 内应找到`,
    resolution: (what: string) => `决议到期：${what}`,
    volunteersEnding: (n: string, on: string) => `${n} 名成员的保险或培训将于 ${on} 到期`,
    request: "服务请求",
    note: "备忘",
    answer: (p: string, span: string) => `P${p} 事项须在 ${span} 内确认接收`,
    arrive: (span: string) => `报警后 ${span} 内须有人到场`,
    within: (span: string) => `须在 ${span} 内完成`,
    outcomes: { "outcome.subsided": "人群已恢复正常", "outcome.recovered": "传感器已恢复", "outcome.duplicate": "重复警情", "outcome.cancelled": "已撤销", "outcome.came": "预警等级已达到，由人群告警接续", "outcome.averted": "采取措施后未达到", "outcome.handed_over": "已核验并移交", "outcome.lookout_closed": "协查结束", "outcome.carried_out": "决议已完成", "outcome.stood_down": "处置令已解除", "outcome.undone": "处置令误发，已撤销", "outcome.drill_over": "演练已结束", "outcome.passed": "自行消退" },
  },
  {
    level: (where, level, density) => `${where}: ${level}, ${density} p/m²`,
    levelPending: (where, level, density) => `${where}: ${density} p/m², ${level} to be confirmed`,
    warning: (where, level, at, chance) => `${where}: ${level} expected at about ${at} (${chance})`,
    flow: (where, flow) => `${where}: flow too high, ${flow} p/m/min`,
    silent: (n, what) => (n > 1 ? `${n} sensors silent: ${what}` : `Sensor silent: ${what}`),
    disagrees: (what) => `Sensor disagrees: ${what}`,
    dead: (what) => `Sensor sends zeros only: ${what}`,
    burst: (what) => `Sensor sent what it kept over an outage, not counted: ${what}`,
    comma: ", ",
    more: (n) => `and ${n} more`,
    incident: (what, text) => (text ? `${what}: ${text}` : what),
    calls: (what, n) => `${what} (many calls from here, at least ${n})`,
    unclassified: "Incident, not classified",
    at: ", ",
    unplaced: "place unknown",
    lookout: (who) => `Look-out: ${who}`,
    lookoutFrom: (who, from) => `Look-out: ${who}, passed on by ${from}`,
    lookoutBeside: (who, where, found) => `Look-out: ${where} has ${found ? "found" : "seen"} the ${who}`,
    lookoutFound: (who, by) => `Look-out: ${who} found${by && ` (${by})`}, to be handed over`,
    lookoutSeen: (who, where) => `Look-out: ${where} has seen the ${who}`,
    lookoutSupervisor: (who) => `Look-out: ${who}, 15 minutes: call the supervisor`,
    lookoutMissing: (who) => `Look-out: ${who}, 20 minutes: begin the missing-person procedure`,
    lookoutRefused: (who) => `Look-out: ${who}, whoever came could not show that they may`,
    sorts: { child: "child", elderly: "elderly person", group: "companions", item: "thing" },
    found: (span) => `To be found within ${span} of the call`,
    resolution: (what) => `Resolution due: ${what}`,
    volunteersEnding: (n, on) => `Insurance or training ends on ${on}: ${n} crew members`,
    request: "Request",
    note: "Note",
    answer: (p, span) => `A P${p} matter is to be acknowledged within ${span}`,
    arrive: (span) => `Somebody is to be there within ${span} of the call`,
    within: (span) => `To be done within ${span}`,
    outcomes: { "outcome.subsided": "The crowd is back to normal", "outcome.recovered": "The sensor has recovered", "outcome.duplicate": "A duplicate", "outcome.cancelled": "Cancelled", "outcome.came": "The level was reached; its alarm takes over", "outcome.handed_over": "Checked and handed over", "outcome.lookout_closed": "The look-out has ended", "outcome.carried_out": "Carried out", "outcome.stood_down": "The order was stood down", "outcome.undone": "The order was a mistake and was undone", "outcome.drill_over": "The drill is over", "outcome.averted": "Averted: something was done, and it did not come", "outcome.passed": "It passed by itself" },
  },
);

const text = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "");
const levelWords = (value: unknown) => `${text(value)} ${levelName(Number(value))}`;

const sortOf = (params: Params) => words.sorts[text(params["sort"]) as keyof typeof words.sorts] ?? "";
const sensorsOf = (params: Params): string[] => Object.keys((params["sensors"] ?? {}) as object);
const LISTED = 3;

/** The first few names, and how many there are besides. */
function listed(names: string[]): string {
  const first = names.slice(0, LISTED).join(words.comma);
  return names.length > LISTED ? `${first} ${words.more(names.length - LISTED)}` : first;
}

/** What a matter is about, in the chosen language. A subject we do not know is shown as it came. */
export function subjectOf(
  matter: { subject: string; params: Params; text: string; zone_id?: string | null },
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
    case "matter.sensor.dead":
      return words.dead(listed(sensorsOf(params).map(naming)));
    case "matter.sensor.burst":
      return words.burst(listed(sensorsOf(params).map(naming)));
    case "matter.incident": {
      const sos = params["sos"] as { sign: string | null; near: string | null } | undefined;
      if (sos) {
        const at = [sos.near && naming(sos.near), matter.zone_id && naming(matter.zone_id)];
        return [sos.sign ?? params["account_name"], "SOS", at.filter(Boolean).join(words.at) || words.unplaced].join(" · ");
      }
      const name = text(params[reading.formats.language === "zh" ? "name_zh" : "name_en"]);
      const said = words.incident(name || words.unclassified, matter.text);
      return "calls" in params ? words.calls(said, Number(params["calls"])) : said;
    }
    case "matter.lookout":
      return words.lookout(sortOf(params));
    case "matter.lookout_from":
      return words.lookoutFrom(sortOf(params), text(params[reading.formats.language]));
    case "matter.lookout_beside":
      return words.lookoutBeside(sortOf(params), text(params[reading.formats.language]), params["found"] === true);
    case "matter.lookout_seen":
      return words.lookoutSeen(sortOf(params), params["premises"] ? naming(text(params["premises"])) : "—");
    case "matter.lookout_found": {
      const places = [params["premises"] ?? params["zone"], params["unit"]].filter((one) => one != null);
      return words.lookoutFound(sortOf(params), places.map((one) => naming(text(one))).join(words.comma));
    }
    case "matter.lookout_supervisor":
      return words.lookoutSupervisor(sortOf(params));
    case "matter.lookout_missing":
      return words.lookoutMissing(sortOf(params));
    case "matter.lookout_refused":
      return words.lookoutRefused(sortOf(params));
    case "matter.resolution":
      return words.resolution(matter.text);
    case "matter.volunteers_ending":
      return words.volunteersEnding(text(params["count"]), text(params["on"]));
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
  if (because === "due.found") return words.found(span);
  if (because === "due.arrive") return words.arrive(span);
  return because === "due.answer" ? words.answer(text(params["priority"]), span) : words.within(span);
}

/** How a matter ended: one of the system's outcomes, or a person's words. */
export const outcomeOf = (outcome: string): string =>
  words.outcomes[outcome as keyof typeof words.outcomes] ?? outcome;
