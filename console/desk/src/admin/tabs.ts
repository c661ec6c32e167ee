// What is looked after here, and the permission each needs.
import type { Component } from "svelte";
import type { Shape } from "$api/client";
import CategoriesTab from "./categories/CategoriesTab.svelte";
import CouncilTab from "./council/CouncilTab.svelte";
import DrillsTab from "./drills/DrillsTab.svelte";
import EventsTab from "./events/EventsTab.svelte";
import FeedsTab from "./feeds/FeedsTab.svelte";
import JournalTab from "./journal/JournalTab.svelte";
import LevelsTab from "./levels/LevelsTab.svelte";
import PartnersTab from "./partners/PartnersTab.svelte";
import PeopleTab from "./people/PeopleTab.svelte";
import PlaceTab from "./place/PlaceTab.svelte";
import QualityTab from "./quality/QualityTab.svelte";
import SensorsTab from "./sensors/SensorsTab.svelte";
import UnitsTab from "./units/UnitsTab.svelte";
import VolunteersTab from "./volunteers/VolunteersTab.svelte";

export type District = Shape["DistrictShown"];
export type TabName = "sensors" | "feeds" | "levels" | "events" | "units" | "volunteers" | "categories" | "partners" | "council" | "people" | "place" | "quality" | "drills" | "journal";
export type Tab = { name: TabName; needs: string; shows: Component<{ district: District }> };

export const TABS: readonly Tab[] = [
  { name: "sensors", needs: "crowd.configure", shows: SensorsTab },
  { name: "feeds", needs: "crowd.configure", shows: FeedsTab },
  { name: "levels", needs: "crowd.configure", shows: LevelsTab },
  { name: "events", needs: "crowd.configure", shows: EventsTab },
  { name: "units", needs: "unit.configure", shows: UnitsTab },
  { name: "volunteers", needs: "unit.configure", shows: VolunteersTab },
  { name: "categories", needs: "incident.configure", shows: CategoriesTab },
  { name: "partners", needs: "partner.configure", shows: PartnersTab },
  { name: "council", needs: "partner.configure", shows: CouncilTab },
  { name: "people", needs: "people.manage", shows: PeopleTab },
  { name: "place", needs: "place.edit", shows: PlaceTab },
  { name: "quality", needs: "crowd.configure", shows: QualityTab },
  { name: "drills", needs: "drill.lead", shows: DrillsTab },
  { name: "journal", needs: "journal.read", shows: JournalTab },
];
