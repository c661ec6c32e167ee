// Everything the console asks of the server. Topics are the first words of journal kinds that change the answer.
import type { Place } from "./place";
import { answered, client, type Shape } from "./client";
import type { Question } from "./queries.svelte";

const query = (district: string) => ({ params: { query: { district } } });

export const place = (district: string): Question<Place> => ({
  key: `place ${district}`,
  topics: ["place"],
  ask: () => answered(client.GET("/api/place", query(district))) as Promise<unknown> as Promise<Place>,
});

const QUEUE_STEP = 200;
const queueLimits = new Map<string, number>();

/** The beginning of the queue: what is urgent and unanswered first, as much as was asked for. */
export const openMatters = (district: string): Question<Shape["Queue"]> => ({
  key: `matters ${district}`,
  topics: ["matter", "measure", "level", "incident"],
  ask: () => {
    const limit = queueLimits.get(district) ?? QUEUE_STEP;
    return answered(client.GET("/api/matters", { params: { query: { district, limit } } }));
  },
});

/** From now on ask for that many matters more than are shown. */
export const lengthenQueue = (district: string, shown: number): void => {
  queueLimits.set(district, Math.min(shown + QUEUE_STEP, 20_000));
};

export const counts = (district: string): Question<Shape["Counts"]> => ({
  key: `counts ${district}`,
  topics: ["matter"],
  ask: () => answered(client.GET("/api/matters/counts", query(district))),
});

/** Asked again when something was set up, or by hand. */
export const check = (district: string): Question<Shape["CheckShown"][]> => ({
  key: `check ${district}`,
  topics: ["place", "feed", "account"],
  ask: () => answered(client.GET("/api/check", query(district))),
});

export const matter = (district: string, id: string): Question<Shape["MatterPage"]> => ({
  key: `matter ${district} ${id}`,
  topics: ["matter", "measure", "level", "incident", "transfer"],
  ask: () => answered(client.GET("/api/matters/{id}", { params: { path: { id }, query: { district } } })),
});

export const incident = (district: string, id: string): Question<Shape["IncidentPage"]> => ({
  key: `incident ${district} ${id}`,
  topics: ["incident", "transfer", "matter", "assignment"],
  ask: () => answered(client.GET("/api/incidents/{id}", { params: { path: { id }, query: { district } } })),
});

/** Who is looked for. */
export const lookouts = (district: string): Question<Shape["LookoutShown"][]> => ({
  key: `lookouts ${district}`,
  topics: ["lookout"],
  ask: () => answered(client.GET("/api/lookouts", query(district))),
});

export const lookout = (district: string, id: string): Question<Shape["LookoutPage"]> => ({
  key: `lookout ${district} ${id}`,
  topics: ["lookout", "notice", "record"],
  ask: () => answered(client.GET("/api/lookouts/{id}", { params: { path: { id }, query: { district } } })),
});

/** Where she may be now and what to do next. */
export const whereabouts = (district: string, id: string): Question<Shape["SearchShown"]> => ({
  key: `search ${district} ${id}`,
  topics: ["lookout", "notice"],
  ask: () => answered(client.GET("/api/lookouts/{id}/search", { params: { path: { id }, query: { district } } })),
});

export const partners = (district: string): Question<Shape["PartnerLine"][]> => ({
  key: `partners ${district}`,
  topics: ["partner", "duty_check", "record"],
  ask: () => answered(client.GET("/api/partners", query(district))),
});

/** A notice and what became of it at each partner. */
export const notice = (district: string, id: string): Question<Shape["NoticePage"]> => ({
  key: `notice ${district} ${id}`,
  topics: ["notice"],
  ask: () => answered(client.GET("/api/notices/{id}", { params: { path: { id }, query: { district } } })),
});

/** What each of the three sides looks at. */
export const dutyLists = (district: string): Question<Shape["DutyListShown"][]> => ({
  key: `duty lists ${district}`,
  topics: [],
  ask: () => answered(client.GET("/api/duty-lists", query(district))),
});

export const notices = (district: string): Question<Shape["NoticeLine"][]> => ({
  key: `notices ${district}`,
  topics: ["notice"],
  ask: () => answered(client.GET("/api/notices", query(district))),
});

export const shift = (district: string): Question<Shape["ShiftShown"] | null> => ({
  key: `shift ${district}`,
  topics: ["shift", "duty_note"],
  ask: async () => (await answered(client.GET("/api/shift", query(district)))) ?? null,
});

export const services = (district: string): Question<Shape["ServicesShown"]> => ({
  key: `services ${district}`,
  topics: ["service"],
  ask: () => answered(client.GET("/api/services", query(district))),
});

/** By which units are bound now, to what. */
export const assignments = (district: string): Question<Shape["AssignmentShown"][]> => ({
  key: `assignments ${district}`,
  topics: ["assignment"],
  ask: () => answered(client.GET("/api/assignments", query(district))),
});

export const units = (district: string): Question<Shape["UnitShown"][]> => ({
  key: `units ${district}`,
  topics: ["unit", "duty", "assignment"],
  ask: () => answered(client.GET("/api/units", query(district))),
});

export const advice = (district: string, id: string): Question<Shape["AdviceShown"]> => ({
  key: `advice ${district} ${id}`,
  topics: ["assignment", "unit", "duty", "incident", "matter"],
  ask: () => answered(client.GET("/api/incidents/{id}/advice", { params: { path: { id }, query: { district } } })),
});

/** The board of an incident: now, or as it was known at an instant. */
export const board = (district: string, id: string, at: string | null): Question<Shape["BoardShown"]> => ({
  key: `board ${district} ${id} ${at ?? ""}`,
  topics: at === null ? ["assignment", "rung", "message", "command", "incident", "matter"] : [],
  ask: () =>
    answered(
      client.GET("/api/incidents/{id}/board", { params: { path: { id }, query: { district, ...(at && { at }) } } }),
    ),
});

export const dutyRoom = (district: string): Question<Shape["DutyRoom"]> => ({
  key: `duty room ${district}`,
  topics: ["message", "rollcall", "lone"],
  ask: () => answered(client.GET("/api/duty-room", query(district))),
});

export const ladder = (district: string): Question<Shape["LadderShown"]> => ({
  key: `ladder ${district}`,
  topics: ["ladder"],
  ask: () => answered(client.GET("/api/ladder", query(district))),
});

export const liveReach = (district: string): Question<Shape["ReachShown"] | null> => ({
  key: `reach ${district}`,
  topics: [],
  ask: async () => (await answered(client.GET("/api/reach", query(district)))) ?? null,
});

/** Who may be in a crew, and what is known of each. */
export const staff = (district: string): Question<Shape["StaffShown"][]> => ({
  key: `staff ${district}`,
  topics: ["member", "account"],
  ask: () => answered(client.GET("/api/members", query(district))),
});

export const unitKinds = (district: string): Question<Shape["KindShown"][]> => ({
  key: `unit kinds ${district}`,
  topics: [],
  ask: () => answered(client.GET("/api/unit-kinds", query(district))),
});

export const incidentCategories = (district: string): Question<Shape["CategoryShown"][]> => ({
  key: `categories ${district}`,
  topics: ["category"],
  ask: () => answered(client.GET("/api/incident-categories", query(district))),
});

export const levelRules = (district: string) => ({
  key: `levels ${district}`,
  topics: ["levels", "place"],
  ask: () => answered(client.GET("/api/crowd/levels", query(district))),
});

export const actionCards = (district: string) => ({
  key: `cards ${district}`,
  topics: ["levels"],
  ask: () => answered(client.GET("/api/crowd/cards", query(district))),
});

export const sensors = (district: string) => ({
  key: `sensors ${district}`,
  topics: ["sensor"],
  ask: () => answered(client.GET("/api/crowd/sensors", query(district))),
});

export const measures = (district: string, zone: string) => ({
  key: `measures ${district} ${zone}`,
  topics: ["measure"],
  ask: () =>
    answered(
      client.GET("/api/crowd/zones/{zone}/measures", { params: { path: { zone }, query: { district } } }),
    ),
});

/** The last while until now, as the histories ask for it. */
function lately(span_s: number, now_ms: () => number) {
  const to = new Date(now_ms());
  return { from: new Date(to.getTime() - span_s * 1000).toISOString(), to: to.toISOString() };
}

/** What is expected of the crowd in the next two hours, asked again by whoever shows it. */
export const forecast = (district: string) => ({
  key: `forecast ${district}`,
  topics: [],
  ask: () => answered(client.GET("/api/crowd/forecast", { params: { query: { district } } })),
});

/** What is expected of counters and gates, asked again each minute by whoever shows it. */
export const passingAhead = (district: string) => ({
  key: `passing ${district}`,
  topics: [],
  ask: () => answered(client.GET("/api/crowd/forecast/passing", { params: { query: { district } } })),
});

/** The next two days of a zone by the hour. */
export const daysAhead = (district: string, zone: string) => ({
  key: `days ${district} ${zone}`,
  topics: ["event"],
  ask: () => answered(client.GET("/api/crowd/zones/{zone}/days", { params: { path: { zone }, query: { district } } })),
});

/** The council: meetings with motions, and resolutions. */
export const council = (district: string) => ({
  key: `council ${district}`,
  topics: ["meeting", "motion", "resolution"],
  ask: () => answered(client.GET("/api/council", { params: { query: { district } } })),
});

/** Volunteer teams: people, shifts, certificates. */
export const volunteers = (district: string) => ({
  key: `volunteers ${district}`,
  topics: ["volunteer", "team_shift", "sign_up", "certificate", "duty"],
  ask: () => answered(client.GET("/api/volunteers", { params: { query: { district } } })),
});

/** What was ordered for zones, how far everybody is, and what each level asks. */
export const orders = (district: string) => ({
  key: `orders ${district}`,
  topics: ["order", "assignment", "notice"],
  ask: () => answered(client.GET("/api/orders", { params: { query: { district } } })),
});

/** What the order of a level would do now; asked anew for every dialog, whose id `of` is. */
export const orderPlan = (district: string, zone_id: string, level: number, of: string) => ({
  key: `order plan ${district} ${zone_id} ${level} ${of}`,
  topics: ["order", "assignment", "unit"],
  ask: () => answered(client.GET("/api/orders/plan", { params: { query: { district, zone_id, level } } })),
});

/** What was handed in at the kiosk. */
export const found = (district: string) => ({
  key: `found ${district}`,
  topics: ["found"],
  ask: () => answered(client.GET("/api/found", { params: { query: { district } } })),
});

/** Drills and how each went; `tick` asks anew while one goes on. */
export const drills = (district: string) => ({
  key: `drills ${district}`,
  topics: ["drill"],
  ask: () => answered(client.GET("/api/drills", { params: { query: { district } } })),
});

/** What goes on now or is planned. */
export const plannedEvents = (district: string) => ({
  key: `events ${district}`,
  topics: ["event"],
  ask: () => answered(client.GET("/api/events", { params: { query: { district } } })),
});

/** What each feed brought and what was refused last; nothing in the journal says so, it is asked again. */
export const feedStates = (district: string): Question<Shape["FeedStates"]> => ({
  key: `feeds ${district}`,
  topics: [],
  ask: () => answered(client.GET("/api/feeds/state", query(district))),
});

/** When the weather was told last, and what is known of the hours ahead. */
export const weather = (district: string) => ({
  key: `weather ${district}`,
  topics: ["weather"],
  ask: () => answered(client.GET("/api/weather", { params: { query: { district } } })),
});

/** How good the forecast was over the last weeks, the trained models, and what became of alarms. */
export const forecastQuality = (district: string, days: number) => ({
  key: `quality ${district} ${days}`,
  topics: ["warning", "forecast"],
  ask: () => answered(client.GET("/api/crowd/forecast/quality", { params: { query: { district, days } } })),
});
export const trainedModels = (district: string) => ({
  key: `models ${district}`,
  topics: ["forecast"],
  ask: () => answered(client.GET("/api/crowd/forecast/models", { params: { query: { district } } })),
});
export const alarmRecord = (district: string, days: number) => ({
  key: `alarms ${district} ${days}`,
  topics: ["matter"],
  ask: () => answered(client.GET("/api/matters/alarms", { params: { query: { district, days } } })),
});

/** The last while of a zone by minutes, asked again by whoever shows it. */
export const zoneHistory = (district: string, zone: string, span_s: number, now_ms: () => number) => ({
  key: `history ${district} ${zone} ${span_s}`,
  topics: [],
  ask: () => {
    const params = { path: { zone }, query: { district, ...lately(span_s, now_ms) } };
    return answered(client.GET("/api/crowd/zones/{zone}/history", { params }));
  },
});

/** The last while of the whole district by minutes, asked again by whoever shows it. */
export const districtHistory = (district: string, span_s: number, now_ms: () => number) => ({
  key: `history ${district} ${span_s}`,
  topics: [],
  ask: () => {
    const params = { query: { district, ...lately(span_s, now_ms) } };
    return answered(client.GET("/api/crowd/history", { params }));
  },
});

export const people = () => ({
  key: "people",
  topics: ["account", "body"],
  ask: () => answered(client.GET("/api/people")),
});

export const bodies = () => ({
  key: "bodies",
  topics: ["body"],
  ask: () => answered(client.GET("/api/bodies")),
});

export const feeds = (district: string) => ({
  key: `feeds ${district}`,
  topics: ["feed"],
  ask: () => answered(client.GET("/api/feeds", query(district))),
});

/** First words of everything that is written into the journal. */
export const JOURNAL_NOUNS = [
  "matter", "level", "levels", "warning", "forecast", "event", "weather", "meeting", "motion", "resolution", "volunteer", "team_shift", "sign_up", "certificate", "flow", "measure", "zone", "sensor", "place",
  "incident", "transfer", "category", "lookout", "notice", "partner", "duty_check", "phone", "record", "erasure", "shift", "duty_note", "service", "found", "order", "drill", "assignment", "rung", "ladder", "command", "message", "rollcall", "lone",
  "unit", "duty", "member", "account", "password", "session", "body", "feed",
] as const; // prettier-ignore
export const JOURNAL_PAGE = 100;

/** The newest entries; `noun` is the first word of their kind. */
export const journal = (district: string, noun: string | null) => ({
  key: `journal ${district} ${noun ?? ""}`,
  topics: noun === null ? JOURNAL_NOUNS : [noun],
  ask: () => journalBefore(district, noun, null),
});

export async function journalBefore(district: string, noun: string | null, before: number | null) {
  const wanted = { district, limit: JOURNAL_PAGE, ...(noun && { kind: noun }), ...(before && { before }) };
  return (await answered(client.GET("/api/journal", { params: { query: wanted } }))).entries;
}

/** What a question is answered with. */
export type Told<A extends (...words: never[]) => { ask: () => Promise<unknown> }> = Awaited<
  ReturnType<ReturnType<A>["ask"]>
>;
export type LevelRule = Told<typeof levelRules>[number];
export type Forecast = NonNullable<Told<typeof forecast>>;
export type PlannedEvent = Told<typeof plannedEvents>[number];
export type Card = Told<typeof actionCards>[number];
export type Sensor = Told<typeof sensors>[number];
export type Measure = Told<typeof measures>[number];
export type Account = Told<typeof people>[number];
export type Organisation = Told<typeof bodies>[number];
export type Feed = Told<typeof feeds>[number];
export type JournalEntry = Told<typeof journal>[number];
export type Point = Told<typeof check>[number];
