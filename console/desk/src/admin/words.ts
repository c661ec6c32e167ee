import { dictionary } from "$kit/i18n.svelte";

export const words = dictionary(
  {
    tabsLabel: "管理内容",
    tabs: { sensors: "传感器", feeds: "数据接口", levels: "等级规则", events: "活动", units: "力量", volunteers: "义警队伍", categories: "警情类别", partners: "合作单位", council: "议事会", people: "人员", place: "场所", quality: "预测与告警", drills: "演练", journal: "日志" },
    noTab: "您的角色看不到这些内容。",
    staleKept: "列表已更新，您填写的内容仍在。核对后再次提交，将以您填写的内容为准。",
    lookAt: (fields: string) => `请检查：${fields}。`,
    comma: "、",
    change: "修改",
    changeOf: (what: string) => `修改 ${what}`,
    save: "保存",
    acts: "操作",
    required: "必填",
  },
  {
    tabsLabel: "What to look after",
    tabs: { sensors: "Sensors", feeds: "Feeds", levels: "Levels", events: "Events", units: "Units", volunteers: "Volunteers", categories: "Categories", partners: "Partners", council: "Council", people: "People", place: "Place", quality: "Forecast and alarms", drills: "Drills", journal: "Journal" },
    noTab: "Your role cannot see any of this.",
    staleKept:
      "The list is up to date now and what you typed is still here. Check it, then send again to let it stand.",
    lookAt: (fields) => `Look at: ${fields}.`,
    comma: ", ",
    change: "Change",
    changeOf: (what) => `Change ${what}`,
    save: "Save",
    acts: "Acts",
    required: "required",
  },
);
