// What must not go unheard, in words: loaded with the alarms, after the desk stands.
import { dictionary } from "$kit/i18n.svelte";

export const words = dictionary(
  {
    openIt: "查看",
    alarms: {
      "rung.missed": "响应阶梯有一级未按时达成。",
      "rung.raised": "响应阶梯超时，请值班领导处置。",
      "assignment.nobody_left": "已无可派力量，请人工处置。",
      "rollcall.silent": "点名有单元未应答。",
      "lone.overdue": "单人作业人员超时未返回。",
    },
  },
  {
    openIt: "Open it",
    alarms: {
      "rung.missed": "A rung of the ladder was missed.",
      "rung.raised": "The ladder is late: supervisor, please act.",
      "assignment.nobody_left": "Nobody is left to ask: please act.",
      "rollcall.silent": "A unit does not answer the roll-call.",
      "lone.overdue": "Somebody who works alone has not come back.",
    },
  },
);
