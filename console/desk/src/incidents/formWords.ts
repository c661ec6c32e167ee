// Words of the form that takes a call, and of the number to call back: loaded when they are needed.
import { dictionary } from "$kit/i18n.svelte";

export const words = dictionary(
  {
    noPremises: "没有这个名称的场所单位：请从列表中选择，或留空。",
    severalPremises: "有多个同名场所单位：请先选择区域。",
    callBack: "回拨号码（保密存储）",
    callBackHint: "电话号码：数字、空格、+、-、括号",
    showNumber: "显示回拨号码（留痕）",
  },
  {
    noPremises: "No premises bear this name, in either language: choose from the list, or leave it empty.",
    severalPremises: "Several premises bear this name: choose the zone, too.",
    callBack: "Number to call back (sealed)",
    callBackHint: "A telephone number: digits, spaces, +, -, brackets",
    showNumber: "Show the number to call back (recorded)",
  },
);
