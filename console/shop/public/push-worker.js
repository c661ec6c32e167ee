// Says that there is a notice while the page of a shop is closed. It keeps nothing: what a notice says is on the page.
const PAGE = "/shop/";
const zh = /^zh/i.test(navigator.language);

addEventListener("push", (event) => event.waitUntil(say()));
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show());
});

async function say() {
  const open = await pages();
  if (open.some((page) => page.visibilityState === "visible")) return;
  await registration.showNotification(zh ? "平安商圈：有新通知" : "Safe district: a new notice", {
    body: zh ? "点开查看并回复" : "Open it to read and answer",
    tag: "notice",
    renotify: true,
    requireInteraction: true,
  });
}

async function show() {
  const [page] = await pages();
  await (page ? page.focus() : clients.openWindow(PAGE));
}

async function pages() {
  const all = await clients.matchAll({ type: "window", includeUncontrolled: true });
  return all.filter((page) => new URL(page.url).pathname.startsWith(PAGE));
}
