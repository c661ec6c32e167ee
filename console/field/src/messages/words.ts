import { dictionary } from "$kit/i18n.svelte";

export const words = dictionary(
  {
    title: "消息",
    none: "没有消息。",
    offDuty: "值勤后可收发消息。",
    toAll: "全体",
    toMe: "给本单元",
    me: "我",
    read: "已读",
    readBy: (who: string) => `已读：${who}`,
    write: "给全体留言",
    send: "发送",
    label: "消息",
    waits: "等待发送",
  },
  {
    title: "Messages",
    none: "No messages.",
    offDuty: "Messages come and go while you are on duty.",
    toAll: "everybody",
    toMe: "my unit",
    me: "me",
    read: "I have read it",
    readBy: (who) => `read by ${who}`,
    write: "Say to everybody",
    send: "Send",
    label: "Message",
    waits: "waiting to be sent",
  },
);
