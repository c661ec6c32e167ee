import { dictionary } from "$kit/i18n.svelte";

export const words = dictionary(
  {
    title: "无法连接服务器",
    since: (at: string, age: string) => `最后一次收到服务器消息：${at}（${age}前，以本机时钟为准）。`,
    never: "本机尚未收到过服务器消息。",
    notLive: "此页面没有任何实时内容，请以电台和现场人员的消息为准。",
    retrying: "正在自动重试；服务器恢复后自动返回原页面。",
    look: "若持续如此，请检查本机网络，以及警务室服务器是否通电运行。",
    now: "立即重试",
    other: "English",
    update: "有新版本，点此更新",
  },
  {
    title: "The server cannot be reached",
    since: (at, age) => `Last heard from the server: ${at} (${age} ago by this machine's clock).`,
    never: "This machine has not heard from the server yet.",
    notLive: "Nothing on this page is live. Go by radio and by the people on the spot.",
    retrying: "Trying again by itself; when the server is back, so is your screen.",
    look: "If it stays so, check this machine's network, and whether the kiosk's server has power and runs.",
    now: "Try now",
    other: "中文",
    update: "New version: update",
  },
);
