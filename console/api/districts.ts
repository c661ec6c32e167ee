// The districts one may see come and go while one is signed in: a drill plays on one of its own.
import { answered, client } from "./client";
import { session } from "./session.svelte";

const LOOK_MS = 20_000;

/** Ask for them again and again until the function that is given back is called. */
export function watchDistricts(): () => void {
  const timer = setInterval(() => void look().catch(() => {}), LOOK_MS);
  return () => clearInterval(timer);
}

async function look(): Promise<void> {
  if (session.state !== "open" || !session.may("place.read")) return;
  const known = await answered(client.GET("/api/districts"));
  if (JSON.stringify(known) !== JSON.stringify(session.districts)) session.districts = known;
}
