// Notices to partners, and what a level asks of units and shops, loaded by the desk after it stands.
export { default as Notices } from "./Notices.svelte";
export { default as ZoneOrder } from "./ZoneOrder.svelte";
