// The screens and their addresses. A screen is loaded when it is gone to; the district comes to it as a property.
import type { Component } from "svelte";
import type { Shape } from "$api/client";
import { words } from "./words";

export type District = Shape["DistrictShown"];
export type Screen = Component<{ district: District }>;

export type Route = {
  path: string;
  title: () => string;
  /** The permission without which the screen makes no sense. */
  needs: string;
  load: () => Promise<{ default: Screen }>;
  /** Without the strip above it, as on a wall. */
  bare?: boolean;
};

export const routes: readonly Route[] = [
  { path: "/", title: () => words.desk, needs: "crowd.read", load: () => import("./Desk.svelte") },
  {
    path: "/wall",
    title: () => words.wall,
    needs: "live.read",
    load: () => import("./Wall.svelte"),
    bare: true,
  },
  {
    path: "/check",
    title: () => words.check,
    needs: "check.read",
    load: () => import("../check/Check.svelte"),
  },
  {
    path: "/admin",
    title: () => words.admin,
    needs: "crowd.configure",
    load: () => import("../admin/Admin.svelte"),
  },
];

const HOMES: Record<string, string> = { wall: "/wall", patrol: "/field/", volunteer: "/field/", partner: "/shop/" };

/** Where an account of this role begins; whoever goes on duty or keeps a shop has a page of their own. */
export const homeOf = (role: string | undefined): string => HOMES[role ?? ""] ?? "/";
/** Whether it is a page beside the desk, not a screen of it. */
export const isPage = (home: string): boolean => home.length > 1 && home.endsWith("/");

export const routeAt = (path: string): Route | null =>
  routes.find((route) => route.path === (path === "" ? "/" : path.replace(/(.)\/$/, "$1"))) ?? null;
