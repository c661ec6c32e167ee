// The words of the field that several features show. Levels are the product's own, and are always said so.
import { dictionary } from "$kit/i18n.svelte";

export const words = dictionary(
  {
    levels: { "0": "正常", "1": "关注", "2": "注意", "3": "警戒", "4": "严重" },
    unknown: "未知",
    levelsNotice: "等级为本产品的运行等级，非政府发布的预警信号。",
    perM2: "人/㎡",
    people: "人",
    roles: {
      admin: "管理员",
      supervisor: "值班长",
      desk: "值班员",
      patrol: "巡逻",
      volunteer: "义警",
      partner: "合作单位",
      mediator: "调解员",
      wall: "大屏",
      feed: "数据源",
      engine: "系统",
    },
    qualities: {
      counted: "过线计数",
      seen: "区域计数",
      both: "过线与区域计数一致",
      unknown: "无数据",
      disagrees: "传感器读数不一致",
    },
    spaces: { moving: "通行空间", standing: "驻留空间" },
    states: { open: "待确认", acknowledged: "已确认", closed: "已关闭" },
    zone: "区域",
    outside: "商圈外",
    noDataSince: (at: string) => `自 ${at} 起无数据`,
  },
  {
    levels: { "0": "normal", "1": "attention", "2": "caution", "3": "alert", "4": "serious" },
    unknown: "unknown",
    levelsNotice: "Operational levels of this product, not the government's official warnings.",
    perM2: "p/m²",
    people: "people",
    roles: {
      admin: "Administrator",
      supervisor: "Supervisor",
      desk: "Duty officer",
      patrol: "Patrol",
      volunteer: "Volunteer",
      partner: "Partner",
      mediator: "Mediator",
      wall: "Wall screen",
      feed: "Feed",
      engine: "System",
    },
    qualities: {
      counted: "counted at gates",
      seen: "counted in the zone",
      both: "gate and zone counts agree",
      unknown: "no data",
      disagrees: "sensors disagree",
    },
    spaces: { moving: "moving space", standing: "standing space" },
    states: { open: "open", acknowledged: "acknowledged", closed: "closed" },
    zone: "Zone",
    outside: "outside",
    noDataSince: (at) => `no data since ${at}`,
  },
);

/** The name of a level, "unknown" for none. */
export const levelName = (level: number | null | undefined): string =>
  level === null || level === undefined
    ? words.unknown
    : (words.levels[String(level) as keyof typeof words.levels] ?? words.unknown);

/** The name of a role as the server writes it. */
export const roleName = (role: string): string => words.roles[role as keyof typeof words.roles] ?? role;

/** People per square metre within five minutes from which a trend is said. */
const RISING = 0.2;

/** ▲ or ▼ when a density rises or falls fast, else nothing. */
export const trendSign = (trend: number | null | undefined): "▲" | "▼" | "" =>
  (trend ?? 0) >= RISING ? "▲" : (trend ?? 0) <= -RISING ? "▼" : "";
