// What is done in volunteer teams.
import { answered, client, type Shape } from "$api/client";
import { pressed, tried } from "../acts";
import { words } from "./words";

export type Volunteer = Shape["VolunteerShown"];
export type Shift = Shape["TeamShiftShown"];
export type Place = Shape["SignUpShown"];
export type Certificate = Shape["CertificateShown"];
export type Work = Shape["NewShift"]["work"];
export type Skill = NonNullable<Shape["NewShift"]["skill"]>;
export type Check = Shape["Vetting"]["checks"][number];

const at = (district: string, id: string) => ({ path: { id }, query: { district } });
const told = (done: string) => ({ done, topic: "volunteer", names: words.fields });

export const enter = (district: string, body: Shape["Applicant"]) =>
  tried(answered(client.POST("/api/volunteers", { params: { query: { district } }, body })), told(words.entered));

export const vet = (district: string, id: string, checks: Check[]) =>
  tried(answered(client.POST("/api/volunteers/{id}/vet", { params: at(district, id), body: { checks } })), told(words.vetted));

export const accept = (district: string, id: string, account_id: string) =>
  tried(
    answered(client.POST("/api/volunteers/{id}/accept", { params: at(district, id), body: { account_id } })),
    told(words.accepted),
  );

export const letGo = (district: string, id: string) =>
  tried(answered(client.POST("/api/volunteers/{id}/end", { params: at(district, id) })), told(words.ended));

export const contactOf = (district: string, id: string) =>
  answered(client.GET("/api/volunteers/{id}/contact", { params: at(district, id) }));

export const callShift = (district: string, body: Shape["NewShift"]) =>
  tried(answered(client.POST("/api/volunteers/shifts", { params: { query: { district } }, body })), told(words.called));

export const cancel = (district: string, id: string) =>
  pressed(answered(client.POST("/api/volunteers/shifts/{id}/cancel", { params: at(district, id) })), told(words.cancelled));

export const confirmHours = (district: string, id: string, body: Shape["Hours"]) =>
  tried(
    answered(client.POST("/api/volunteers/sign-ups/{id}/hours", { params: at(district, id), body })),
    told(words.confirmed),
  );

/** `made` is handed the certificate, to be printed. */
export const issue = (district: string, body: Shape["NewCertificate"], made: (one: Certificate) => void) =>
  tried(
    answered(client.POST("/api/volunteers/certificates", { params: { query: { district } }, body })).then(made),
    told(words.issued),
  );

export const revoke = (district: string, code: string) =>
  pressed(
    answered(
      client.POST("/api/volunteers/certificates/{code}/revoke", { params: { path: { code }, query: { district } } }),
    ),
    told(words.revoked),
  );
