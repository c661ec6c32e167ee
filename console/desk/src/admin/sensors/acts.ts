// Entering, changing and retiring sensors.
import { answered, client, type Shape } from "$api/client";
import type { Sensor } from "$api/questions";
import { tried } from "../acts";
import { words } from "./words";

const TOPIC = "sensor";
const at = (district: string, id: string) => ({ path: { id }, query: { district } });

export function define(
  district: string,
  id: string,
  body: Shape["NewSensor"],
  onstale: () => void,
): Promise<string | null> {
  const asking = answered(client.PUT("/api/crowd/sensors/{id}", { params: at(district, id), body }));
  return tried(asking, { done: words.saved(id.toUpperCase()), topic: TOPIC, names: words.fields, onstale });
}

export function retire(district: string, sensor: Sensor): Promise<string | null> {
  const asking = answered(client.DELETE("/api/crowd/sensors/{id}", { params: at(district, sensor.id) }));
  return tried(asking, { done: words.retiredNow(sensor.id.toUpperCase()), topic: TOPIC });
}
