// What merchants read, composed from what was told: no name, clothes with shoes, in both languages.
import type { Both } from "$kit/i18n.svelte";

export type Facts = { sort: string; age_band: string; height_cm: string; clothes: string; shoes: string; place: Both; ago_min: number };

const SORTS: Record<string, Both> = {
  child: { zh: "儿童", en: "child" },
  elderly: { zh: "老人", en: "elderly person" },
  group: { zh: "同行人", en: "companions" },
  item: { zh: "失物", en: "lost thing" },
};
const AGES: Record<string, Both> = {
  small: { zh: "6 岁以下", en: "under 6" },
  child: { zh: "6–12 岁", en: "6 to 12" },
  youth: { zh: "13–17 岁", en: "13 to 17" },
  elderly: { zh: "老年", en: "elderly" },
};

/** The words of the notice; what was typed stands in both as it was typed. */
export function noticeOf(facts: Facts): Both {
  const sort = SORTS[facts.sort]!;
  const aged = facts.sort === "child" ? AGES[facts.age_band] : undefined;
  const tall = facts.height_cm.trim();
  const worn = [facts.clothes.trim(), facts.shoes.trim()].filter(Boolean);
  const zh = [`寻找${sort.zh}${aged ? `（${aged.zh}）` : ""}`, tall && `身高约 ${tall} 厘米`, ...worn];
  const en = [`Looking for: ${sort.en}${aged ? ` (${aged.en})` : ""}`, tall && `about ${tall} cm`, ...worn];
  return {
    zh: `${zh.filter(Boolean).join("，")}。约 ${facts.ago_min} 分钟前在${facts.place.zh}附近。`,
    en: `${en.filter(Boolean).join(", ")}. Near ${facts.place.en} about ${facts.ago_min} min ago.`,
  };
}
