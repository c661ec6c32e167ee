import { dictionary } from "$kit/i18n.svelte";

export const words = dictionary(
  {
    about:
      "密度达到上升阈值并持续所列时间，区域升级；低于下降阈值并持续所列时间，区域逐级下降。升级可越级，降级不可越级。",
    serious: "4 级须有第二来源或人工确认才升级，经人工允许才降级。",
    common: "按空间类型",
    own: "单独规则的区域",
    noOwn: "所有区域都按其空间类型的规则。",
    fromPlace: "阈值来自场所文件",
    isDefault: "产品默认值",
    isOwn: "已修改",
    isOwnZone: "单独规则",
    level: "等级",
    fields: {
      rises: "上升阈值",
      falls: "下降阈值",
      rise_after_s: "上升前持续",
      fall_after_s: "下降前持续",
    },
    atOnce: "立即",
    seconds: "秒",
    cell: (field: string, level: string) => `${field}，${level}`,
    edit: (what: string) => `修改规则：${what}`,
    setFor: "为区域单独设置",
    choose: "选择区域…",
    set: "设置…",
    setOf: (what: string) => `设置单独规则：${what}`,
    reset: "恢复默认",
    resetOf: (what: string) => `恢复默认：${what}`,
    resetTitle: (what: string) => `${what}恢复默认规则？`,
    resetCommon: "以后按产品默认值判定等级。已修改的数值将被删除，修改过程保留在日志中。",
    resetZone: "以后按场所文件中的阈值或其空间类型的规则判定。单独设置的数值将被删除，修改过程保留在日志中。",
    saved: "规则已保存，立即生效。",
    resetNow: "已恢复默认规则。",
    unsound: "标出的数值不成立：各级阈值须递增，且下降阈值低于同级上升阈值；密度不超过 12，时间 0 至 7200 秒。",
    tableOf: (what: string) => `${what}的等级规则`,
  },
  {
    about:
      "A zone rises when its density has been at or above a rise for the time given, and falls step by step " +
      "when it has been below a fall for its time. It may skip levels upward, never downward.",
    serious:
      "Level 4 rises only with a second source or a person's word, and falls only when a person allows it.",
    common: "By kind of space",
    own: "Zones with rules of their own",
    noOwn: "Every zone follows the rule of its kind of space.",
    fromPlace: "thresholds of the district's document",
    isDefault: "default of the product",
    isOwn: "changed here",
    isOwnZone: "own rule",
    level: "Level",
    fields: {
      rises: "Rises at",
      falls: "Falls below",
      rise_after_s: "Rises after",
      fall_after_s: "Falls after",
    },
    atOnce: "at once",
    seconds: "s",
    cell: (field, level) => `${field}, ${level}`,
    edit: (what) => `Change the rule: ${what}`,
    setFor: "Own rule for a zone",
    choose: "Choose a zone…",
    set: "Set…",
    setOf: (what) => `Set an own rule: ${what}`,
    reset: "Back to default",
    resetOf: (what) => `Back to default: ${what}`,
    resetTitle: (what) => `Back to the default rule: ${what}?`,
    resetCommon:
      "Levels then follow the default of the product. The changed numbers are removed; the journal keeps that " +
      "they were.",
    resetZone:
      "The zone then follows its thresholds in the district's document, or else its kind of space. Its own " +
      "numbers are removed; the journal keeps that they were.",
    saved: "The rule is saved and holds from now on.",
    resetNow: "The default rule holds again.",
    unsound:
      "The marked numbers cannot stand: thresholds grow from level to level and a fall lies below its rise; " +
      "densities up to 12, waits 0 to 7200 s.",
    tableOf: (what) => `Rule of levels: ${what}`,
  },
);
