import { dictionary } from "$kit/i18n.svelte";

export const words = dictionary(
  {
    present: "在场人数",
    interval: "区间",
    notCounted: (n: number) => `${n} 个无数据区域未计入`,
    notLive: (age: string) => `非实时画面：已 ${age}未收到服务器消息`,
    densest: "最拥挤的区域",
    trend: "5 分钟变化",
    noZone: "没有可用的区域数据",
    waiting: "待办事项",
    silentSensors: "失联传感器",
    ofSensors: (silent: number, all: number) => `${silent} / ${all}`,
    schematic: "示意图",
    controls: "大屏控制",
  },
  {
    present: "People present",
    interval: "Interval",
    notCounted: (n) => (n === 1 ? "1 zone without data not counted" : `${n} zones without data not counted`),
    notLive: (age) => `Not live: nothing heard from the server for ${age}`,
    densest: "Densest zones",
    trend: "per 5 min",
    noZone: "No zone has data",
    waiting: "Matters waiting",
    silentSensors: "Sensors silent",
    ofSensors: (silent, all) => `${silent} of ${all}`,
    schematic: "schematic",
    controls: "Wall controls",
  },
);
