import { dictionary } from "$kit/i18n.svelte";

export const words = dictionary(
  {
    about:
      "场所文件是一个 GeoJSON：商圈的区域、通道口、步行通道、场所单位和岗位，坐标为 WGS-84（文件注明 GCJ-02 时自动转换）。",
    now: "当前场所",
    name: "商圈",
    code: "代码",
    timeZone: "时区",
    version: "版本",
    kinds: { zone: "区域", gate: "通道口", walkway: "步行通道", premises: "场所单位", post: "岗位" },
    download: "下载场所文件",
    upload: "用文件替换场所",
    uploadText: "整个文件先检查，有任何一处错误就全部不改。",
    file: "GeoJSON 文件",
    confirmTitle: (district: string) => `替换“${district}”的场所？`,
    confirmText: (file: string, district: string) =>
      `“${file}”将整体替换“${district}”的场所，各区域人数与等级随即按新场所重新计算。建议先下载当前文件留存。`,
    confirmSave: "替换场所",
    column: "内容",
    before: "现在",
    after: "文件中",
    otherDistrict: (code: string) => `文件描述的是商圈“${code}”。`,
    unread: "无法预览该文件，提交后由系统检查并列出错误。",
    taken: (zones: number, gates: number, version: number) =>
      `场所已替换：${zones} 个区域，${gates} 个通道口，版本 ${version}。`,
    refused: (file: string) => `“${file}”未被采用，场所没有任何改动`,
    problems: (n: number) => `共 ${n} 处问题`,
    more: (shown: number) => `只列出前 ${shown} 处`,
    line: "行",
    feature: "要素",
    problem: "问题",
    none: "此商圈还没有场所文件。请上传一个。",
  },
  {
    about:
      "The district's document is one GeoJSON: its zones, gates, walkways, premises and posts, in WGS-84 " +
      "(converted when the file says GCJ-02).",
    now: "The place now",
    name: "District",
    code: "Code",
    timeZone: "Time zone",
    version: "Version",
    kinds: { zone: "Zones", gate: "Gates", walkway: "Walkways", premises: "Premises", post: "Posts" },
    download: "Download the document",
    upload: "Replace the place by a file",
    uploadText: "The whole file is checked first: with a single problem in it, nothing is changed.",
    file: "GeoJSON file",
    confirmTitle: (district) => `Replace the place of “${district}”?`,
    confirmText: (file, district) =>
      `“${file}” takes the place of everything in “${district}”; people and levels are then worked out anew ` +
      "for the new zones. Download the present document first, to keep it.",
    confirmSave: "Replace the place",
    column: "What",
    before: "Now",
    after: "In the file",
    otherDistrict: (code) => `The file describes the district “${code}”.`,
    unread: "The file cannot be looked into here; once sent, it is checked and every problem listed.",
    taken: (zones, gates, version) =>
      `The place is replaced: ${zones} zones, ${gates} gates, version ${version}.`,
    refused: (file) => `“${file}” was not taken; nothing of the place is changed`,
    problems: (n) => (n === 1 ? "1 problem" : `${n} problems`),
    more: (shown) => `the first ${shown} are listed`,
    line: "Line",
    feature: "Feature",
    problem: "Problem",
    none: "This district has no document yet. Upload one.",
  },
);
