import "$kit/tokens.css";
import "$kit/base.css";
import { mount } from "svelte";
import { language } from "$kit/i18n.svelte";
import { keys } from "$kit/keys.svelte";
import { pulse } from "$kit/pulse.svelte";
import { reading } from "$kit/reading.svelte";
import { router } from "$kit/router.svelte";
import App from "./App.svelte";

language.recall();
reading.recall();
router.start();
keys.start();
pulse.start();
mount(App, { target: document.getElementById("app")! });
