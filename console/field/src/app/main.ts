import "$kit/tokens.css";
import "$kit/base.css";
import "$kit/phone.css";
import { mount } from "svelte";
import { reach } from "$api/reach.svelte";
import { language } from "$kit/i18n.svelte";
import { pulse } from "$kit/pulse.svelte";
import { reading } from "$kit/reading.svelte";
import { field } from "../outbox/field.svelte";
import App from "./App.svelte";
import { updates } from "./updates.svelte";

language.recall();
reading.recall();
reach.recall();
field.recall();
pulse.start(1000);
mount(App, { target: document.getElementById("app")! });
void updates.start();
