// What is done with the register of partners.
import { answered, client, type Shape } from "$api/client";
import { newId } from "$api/ids";
import { tried } from "../acts";
import { words } from "./words";

export type Partner = Shape["PartnerLine"];
export type Draft = Omit<Shape["NewPartner"], "version">;
const at = (district: string, id: string) => ({ path: { id }, query: { district } });
const topic = "partner";

export const enter = (district: string, id: string, draft: Draft, version: number, onstale: () => void) =>
  tried(answered(client.PUT("/api/partners/{id}", { params: at(district, id), body: { ...draft, version } })), {
    done: words.saved,
    topic,
    names: words.fields,
    onstale,
  });

export const retire = (district: string, id: string) =>
  tried(answered(client.DELETE("/api/partners/{id}", { params: at(district, id) })), { done: words.retired, topic });

export const spotCheck = (district: string, id: string, partner_id: string, list_id: string, not_in_order: string[]) =>
  tried(
    answered(
      client.POST("/api/shop/checks", { params: { query: { district } }, body: { id, partner_id, list_id, not_in_order } }),
    ),
    { done: words.spotDone(not_in_order.length), topic },
  );

export type Contact = Omit<Shape["NewContact"], "id">;

export const putContact = (district: string, id: string, told: Contact) =>
  tried(answered(client.PUT("/api/partners/{id}/contact", { params: at(district, id), body: { id: newId(), ...told } })), {
    done: words.saved,
    topic,
    names: words.contactFields,
  });

export const contact = (district: string, id: string) =>
  answered(client.GET("/api/partners/{id}/contact", { params: at(district, id) }));
