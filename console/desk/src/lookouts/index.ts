// Look-outs, loaded by the desk after it stands: opening one, its panel, and what it lays over the map.
export { default as LookoutPanel } from "./LookoutPanel.svelte";
export { default as NewLookout } from "./NewLookout.svelte";
export { end } from "./acts";
export { lookoutOverlay } from "./overlay";
export { words } from "./words";
