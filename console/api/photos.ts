// Sending a photograph of what was told before: a report, or somebody who is looked for.
import { UPLOAD_MS } from "./client";
import { newId } from "./ids";
import { session } from "./session.svelte";

type Purpose = "report" | "lookout";

/** The id of the photograph, and the address that it is sent to. */
export function newPhoto(district: string, purpose: Purpose, of: string): { id: string; path: string } {
  const id = newId();
  return { id, path: `/api/photos/${id}?district=${encodeURIComponent(district)}&purpose=${purpose}&of=${of}` };
}

/** The id under which it is kept now; throws with the status when it was refused. */
export async function sendPhoto(district: string, purpose: Purpose, of: string, photo: Blob): Promise<string> {
  const { id, path } = newPhoto(district, purpose, of);
  const headers = { "Content-Type": "application/octet-stream", "X-CSRF-Token": session.csrfToken };
  const response = await fetch(path, { method: "POST", headers, body: photo, signal: AbortSignal.timeout(UPLOAD_MS) });
  if (!response.ok) throw new Error(String(response.status));
  return id;
}
