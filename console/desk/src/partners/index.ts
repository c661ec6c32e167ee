// Notices to partners, loaded by the desk after it stands.
export { default as Notices } from "./Notices.svelte";
