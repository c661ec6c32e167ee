// What is done with accounts, bodies and feeds.
import { answered, client, type Shape } from "$api/client";
import type { Account, Feed } from "$api/questions";
import { tried } from "../acts";
import { words } from "./words";

export type Role = Shape["NewAccount"]["role"];
export type Change = Omit<Shape["AccountChange"], "version">;

export function openAccount(body: Shape["NewAccount"]): Promise<string | null> {
  const asking = answered(client.POST("/api/people", { body }));
  return tried(asking, { done: words.opened(body.display_name), topic: "account", names: words.fields });
}

export function changeAccount(
  account: Account,
  change: Change,
  onstale?: () => void,
): Promise<string | null> {
  const body = { ...change, version: account.version };
  const asking = client.PATCH("/api/people/{id}", { params: { path: { id: account.id } }, body });
  const done = words.changed(change.display_name);
  const names = words.fields;
  return tried(answered(asking), { done, topic: "account", names, ...(onstale && { onstale }) });
}

/** Let somebody sign in, or no more; all else stays. */
export function setActive(account: Account, active: boolean): Promise<string | null> {
  const { display_name, role, body_id, district_ids } = account;
  return changeAccount(account, { display_name, role: role as Role, body_id, district_ids, active });
}

/** Set somebody else's password; their sessions end. */
export function setPassword(account: Account, password: string): Promise<string | null> {
  const params = { path: { id: account.id } };
  const asking = answered(client.POST("/api/people/{id}/password", { params, body: { password } }));
  const done = words.passwordSet(account.display_name);
  return tried(asking, { done, topic: "account", names: words.fields });
}

export function registerBody(body: Shape["NewBody"]): Promise<string | null> {
  const asking = answered(client.POST("/api/bodies", { body }));
  const done = words.registered(body.name_zh, body.name_en);
  return tried(asking, { done, topic: "body", names: words.fields });
}

/** Open a feed; `kept` is handed the key that is never shown again. */
export function openFeed(
  district: string,
  body: Shape["NewFeed"],
  kept: (feed: Shape["FeedShown"]) => void,
): Promise<string | null> {
  const asking = answered(client.POST("/api/feeds", { params: { query: { district } }, body })).then(kept);
  return tried(asking, { topic: "feed", names: words.fields });
}

export function closeFeed(district: string, feed: Feed): Promise<string | null> {
  const params = { path: { id: feed.id }, query: { district } };
  const asking = answered(client.DELETE("/api/feeds/{id}", { params }));
  return tried(asking, { done: words.feedClosed(feed.name), topic: "feed" });
}

