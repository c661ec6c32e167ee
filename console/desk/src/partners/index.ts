// Notices to partners, loaded by the desk after it stands.
export { default as TellZone } from "./TellZone.svelte";
export { default as Notices } from "./Notices.svelte";
