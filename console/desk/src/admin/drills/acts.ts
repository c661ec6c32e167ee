// What is done with drills.
import { answered, client, type Shape } from "$api/client";
import { pressed, tried } from "../acts";
import { words } from "./words";

export type Drill = Shape["DrillShown"];
export type Real = Shape["RealShown"];
const TOPIC = "drill";

export const begin = (district: string, id: string, scenario: string) =>
  tried(answered(client.POST("/api/drills", { params: { query: { district } }, body: { id, scenario } })), {
    done: words.begun,
    topic: TOPIC,
  });

export const end = (district: string, id: string) =>
  pressed(answered(client.POST("/api/drills/{id}/end", { params: { path: { id }, query: { district } } })), {
    done: words.ended,
    topic: TOPIC,
  });
