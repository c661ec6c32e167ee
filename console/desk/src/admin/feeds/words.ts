import { dictionary } from "$kit/i18n.svelte";

export const words = dictionary(
  {
    about:
      "每个数据接口自程序启动以来接收了什么、最近一次拒绝了什么、为什么。只记数量、时间和原因，不记数值、位置和个人信息。",
    since: (at: string) => `自 ${at} 起统计。`,
    asOf: (at: string) => `截至 ${at}`,
    caption: "各接口的接收与拒绝",
    nothing: "尚无数据。",
    columns: { feed: "接口", taken: "已接收", lastTaken: "最近接收", refused: "已拒绝", lastRefused: "最近拒绝", why: "原因" },
    unassigned: "未能归入任何商圈",
    outgoing: "发出；由对方拒绝",
    others: (count: number) => `另有 ${count} 种原因`,
    times: (count: string) => `${count} 次`,
    feeds: {
      counts: "客流计数（HTTP）",
      mqtt: "客流计数（MQTT）",
      sensorthings: "客流计数（SensorThings）",
      phones: "值勤手机定位",
      osmand: "定位终端（OsmAnd、Traccar）",
      cot: "TAK 终端（CoT）",
      weather: "天气",
      events: "活动日历",
      webhook: "通知网关",
      web_push: "网页推送",
    },
  },
  {
    about:
      "What each feed brought since the program started, what was refused last, and why. Counts, times and reasons only: no values, no positions, nothing of persons.",
    since: (at) => `Counted since ${at}.`,
    asOf: (at) => `as of ${at}`,
    caption: "Taken and refused by feed",
    nothing: "Nothing yet.",
    columns: { feed: "Feed", taken: "Taken", lastTaken: "Last taken", refused: "Refused", lastRefused: "Last refused", why: "Why" },
    unassigned: "assigned to no district",
    outgoing: "outgoing; refused by others",
    others: (count) => `${count} other reasons`,
    times: (count) => `${count} times`,
    feeds: {
      counts: "Counts (HTTP)",
      mqtt: "Counts (MQTT)",
      sensorthings: "Counts (SensorThings)",
      phones: "Positions of duty phones",
      osmand: "Trackers (OsmAnd, Traccar)",
      cot: "TAK clients (CoT)",
      weather: "Weather",
      events: "Calendars of events",
      webhook: "Notification gateway",
      web_push: "Web push",
    },
  },
);
