import "$kit/tokens.css";
import "$kit/base.css";
import "$kit/phone.css";
import { mount } from "svelte";
import { language } from "$kit/i18n.svelte";
import { reading } from "$kit/reading.svelte";
import App from "./App.svelte";

language.recall();
reading.recall();
mount(App, { target: document.getElementById("app")! });
