import { dictionary } from "$kit/i18n.svelte";

export const words = dictionary(
  {
    ahead: "未来两小时",
    expected: (level: string, at: string, chance: string) => `预计 ${at} 前后达到${level}（一小时内 ${chance}）`,
    because: (people: string, gained: string | null, usual: string | null) =>
      `因为现有 ${people} 人${gained === null ? "" : `，半小时内 ${gained}`}${usual === null ? "" : `，平时此刻 ${usual} 人`}。`,
    planned: (span: string, name: string) => `活动：${span} ${name}`,
    expectedPeople: (people: string) => `（预计 ${people} 人）`,
    busiest: (at: string, density: string, band: string) => `未来两天最密：${at}，约 ${density} 人/㎡（${band}）。`,
    passingSoon: (rate: string, between: string) => `30 分钟后约 ${rate} 人/分（${between}）`,
    headsSoon: (people: string, between: string) => `30 分钟后约 ${people} 人（${between}）`,
    inMinutes: "分钟后",
    likely: "80 % 区间",
    chanceOf3: "≥ 3 级",
    bases: { trained: "依据：训练过的模型与今日走势。", weeks: "依据：前几周与今日走势。", today: "依据：今日走势。", guess: "数据尚少：仅按当前走势估计。" },
    weathers: { none: "未计入天气。", used: "已计入天气。", missing: "缺少天气数据，本次未计入天气。" },
    outlookRecord: (covered: string, error: string, still: string) =>
      `过去一天提前 1 小时：${covered} 落入区间，平均误差 ${error} 人（假定不变则 ${still} 人）。`,
    noOutlook: "暂无预测。",
  },
  {
    ahead: "The next two hours",
    expected: (level, at, chance) => `${level} expected at about ${at} (${chance} within the hour)`,
    because: (people, gained, usual) =>
      `Because ${people} people are there${gained === null ? "" : `, ${gained} in half an hour`}${usual === null ? "" : `; ${usual} are usual now`}.`,
    planned: (span, name) => `Planned: ${span} ${name}`,
    expectedPeople: (people) => `(${people} people expected)`,
    busiest: (at, density, band) => `Densest in the next two days: ${at}, about ${density} p/m² (${band}).`,
    passingSoon: (rate, between) => `in 30 min about ${rate} a minute (${between})`,
    headsSoon: (people, between) => `in 30 min about ${people} people (${between})`,
    inMinutes: "minutes",
    likely: "80 % interval",
    chanceOf3: "level ≥ 3",
    bases: {
      trained: "Stands on a trained model and on today.",
      weeks: "Stands on the last weeks and on today.",
      today: "Stands on today alone.",
      guess: "Little is known yet: the present trend goes on.",
    },
    weathers: { none: "Without the weather.", used: "With the weather.", missing: "The weather is missing: reckoned without it." },
    outlookRecord: (covered, error, still) =>
      `Last day, 1 h ahead: ${covered} inside the interval, mean error ${error} people (${still} had nothing changed).`,
    noOutlook: "No forecast yet.",
  },
);
