// The present state of the crowd, as frames bring it: a full one, then only what changed.

export type Quality = "counted" | "seen" | "both" | "unknown" | "disagrees";

export type ZoneNow = {
  people: number | null;
  low: number | null;
  high: number | null;
  /** People per square metre of usable area. */
  density: number | null;
  /** People per square metre within five minutes. */
  trend: number | null;
  /** 0 to 4; null when unknown. */
  level: number | null;
  since: string;
  pending: number | null;
  quality: Quality;
  silent_since: string | null;
  drift_people_per_h: number | null;
};

export type GateNow = {
  /** People per metre of width and minute. */
  flow: number | null;
  in_per_min: number | null;
  out_per_min: number | null;
  over: boolean;
  at: string | null;
};

export type Frame = {
  at: string;
  speed: number;
  full: boolean;
  people: number | null;
  low: number | null;
  high: number | null;
  unknown_zones: number;
  zones: Record<string, ZoneNow>;
  gates: Record<string, GateNow>;
};

/** The district's time as it was told last, and when that was (performance.now()). */
export type Anchor = { at_ms: number; heardAt_ms: number; speed: number };
const PROMPT_MS = 3000;

/** By how many real milliseconds a frame that is heard now lags behind the district's time; what a prompt frame
 * took on its way is nothing. */
export function lateness(frame: Frame, anchor: Anchor | null, heard_ms: number): number {
  if (!anchor) return 0;
  const now_ms = anchor.at_ms + (heard_ms - anchor.heardAt_ms) * anchor.speed;
  const late_ms = (now_ms - Date.parse(frame.at)) / anchor.speed;
  return late_ms > PROMPT_MS ? late_ms : 0;
}

/** The state after a frame; a partial frame without a state before it tells nothing yet. */
export function merged(before: Frame | null, frame: Frame): Frame | null {
  if (frame.full) return frame;
  if (!before) return null;
  return {
    ...frame,
    full: true,
    zones: { ...before.zones, ...frame.zones },
    gates: { ...before.gates, ...frame.gates },
  };
}
