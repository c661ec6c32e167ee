// Being told of notices while the page is closed: the browser's push service, where there is one.
import { answered, client } from "$api/client";
import { newId } from "$api/ids";

const WORKER = "/shop/push-worker.js";

/** The key to subscribe with; empty where this browser or this installation has no push messages. */
export async function keyOf(district: string): Promise<string> {
  if (!("serviceWorker" in navigator && "PushManager" in window)) return "";
  return (await answered(client.GET("/api/shop/push", { params: { query: { district } } }))).key;
}

export async function isOn(): Promise<boolean> {
  return (await subscription()) !== null;
}

/** Asks the person first; false when they would rather not. */
export async function turnOn(district: string, key: string): Promise<boolean> {
  if ((await Notification.requestPermission()) !== "granted") return false;
  const { pushManager } = await registered();
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const { endpoint } = (await pushManager.getSubscription()) ?? (await pushManager.subscribe(options));
  await answered(client.POST("/api/shop/push", { params: { query: { district } }, body: { id: newId(), endpoint } }));
  return true;
}

export async function turnOff(district: string): Promise<void> {
  const told = await subscription();
  if (!told) return;
  const { endpoint } = told;
  await told.unsubscribe();
  await answered(client.POST("/api/shop/push/end", { params: { query: { district } }, body: { endpoint } }));
}

async function registered(): Promise<ServiceWorkerRegistration> {
  await navigator.serviceWorker.register(WORKER, { scope: "/shop/" });
  return navigator.serviceWorker.ready;
}

async function subscription(): Promise<PushSubscription | null> {
  const worker = await navigator.serviceWorker.getRegistration("/shop/");
  return (await worker?.pushManager.getSubscription()) ?? null;
}
