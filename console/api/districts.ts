// The districts one may see come and go while one is signed in: a drill plays on one of its own.
import { answered, client, hooks } from "./client";
import { session } from "./session.svelte";

const LOOK_MS = 20_000;
const PAUSE_MS = 2_000;
let looked_ms = -PAUSE_MS;

/** Ask for them again and again, and soon after something was forbidden, until the function that is given back is called. */
export function watchDistricts(): () => void {
  const timer = setInterval(() => void look().catch(() => {}), LOOK_MS);
  hooks.forbidden = () => {
    if (performance.now() - looked_ms < PAUSE_MS) return;
    looked_ms = performance.now();
    void look().catch(() => {});
  };
  return () => {
    clearInterval(timer);
    hooks.forbidden = () => {};
  };
}

async function look(): Promise<void> {
  if (session.state !== "open" || !session.may("place.read")) return;
  const known = await answered(client.GET("/api/districts"));
  if (JSON.stringify(known) !== JSON.stringify(session.districts)) session.districts = known;
}
