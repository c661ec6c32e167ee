// The desk's shift and the kiosk's services, loaded by the desk after it stands.
export { default as Found } from "./Found.svelte";
export { default as Services } from "./Services.svelte";
export { default as Shift } from "./Shift.svelte";
