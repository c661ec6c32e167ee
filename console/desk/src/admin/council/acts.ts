// What is done in the council.
import { answered, client, type Shape } from "$api/client";
import { pressed, tried } from "../acts";
import { words } from "./words";

export type Meeting = Shape["MeetingShown"];
export type Motion = Shape["MotionShown"];
export type Resolution = Shape["ResolutionShown"];
export type Vote = keyof typeof words.votes;

const TOPIC = "meeting";
const at = (district: string, id: string) => ({ path: { id }, query: { district } });

const told = (done: string) => ({ done, topic: TOPIC, names: words.fields });
/** The refusal, or null when it was done. */
const sent = (asking: Promise<unknown>, done: string) => tried(asking, told(done));

export const convene = (district: string, id: string, body: Shape["NewMeeting"]) =>
  sent(answered(client.PUT("/api/council/meetings/{id}", { params: at(district, id), body })), words.saved);

export const attend = (district: string, id: string, partner_ids: string[]) =>
  sent(
    answered(client.POST("/api/council/meetings/{id}/attendance", { params: at(district, id), body: { partner_ids } })),
    words.noted,
  );

export const close = (district: string, id: string) =>
  pressed(answered(client.POST("/api/council/meetings/{id}/close", { params: at(district, id) })), told(words.closed));

export const move = (district: string, meeting: string, body: Shape["NewMotion"]) =>
  sent(answered(client.POST("/api/council/meetings/{id}/motions", { params: at(district, meeting), body })), words.moved);

export const vote = (district: string, id: string, votes: Record<string, Vote>) =>
  sent(answered(client.POST("/api/council/motions/{id}/votes", { params: at(district, id), body: { votes } })), words.voted);

export const decide = (district: string, id: string) =>
  pressed(answered(client.POST("/api/council/motions/{id}/decide", { params: at(district, id) })), told(words.decided));

export const resolve = (district: string, motion: string, body: Shape["NewResolution"]) =>
  sent(
    answered(client.POST("/api/council/motions/{id}/resolutions", { params: at(district, motion), body })),
    words.resolved,
  );

export const carryOut = (district: string, id: string) =>
  pressed(answered(client.POST("/api/council/resolutions/{id}/done", { params: at(district, id) })), told(words.carried));
