/** Addresses: what the page shows stands in its URL, so that it can be shared, reloaded and gone back from. */

import { useMemo } from "react";
import { navigate, useLocationProperty, useSearch } from "wouter/use-browser-location";

export const VIEWS = ["list", "graph", "timeline"] as const;
export type View = (typeof VIEWS)[number];

export const ACCESS_PARTS = ["keys", "namespaces", "audit"] as const;
export type AccessPart = (typeof ACCESS_PARTS)[number];

export type Route =
  /** `starting`: with the form that starts a run over it. */
  | { readonly page: "runs"; readonly starting: boolean }
  /** Without a view: the one that was last used. */
  | { readonly page: "run"; readonly run: string; readonly view: View | null }
  /** The event log of a run. */
  | { readonly page: "log"; readonly run: string }
  | { readonly page: "events" }
  | { readonly page: "event"; readonly event: string }
  | { readonly page: "runners" }
  | { readonly page: "flows" }
  | { readonly page: "flow"; readonly flow: string }
  /** A run of a flow that was observed. Without a view: the one that was last used. */
  | {
      readonly page: "observed";
      readonly flow: string;
      readonly run: string;
      readonly view: View | null;
    }
  | { readonly page: "access"; readonly part: AccessPart }
  | { readonly page: "reference" }
  | { readonly page: "unknown" };

const UNKNOWN: Route = { page: "unknown" };

/** Reads a path. */
export function routeOf(path: string): Route {
  const [top = "runs", ...rest] = path.split("/").filter((part) => part !== "");
  if (top === "runs") return runsRoute(rest);
  if (top === "events") return eventsRoute(rest);
  if (top === "flows") return flowsRoute(rest);
  if (top === "access") return accessRoute(rest);
  if (rest.length > 0) return UNKNOWN;
  return top === "runners" || top === "reference" ? { page: top } : UNKNOWN;
}

function runsRoute([run, view, ...rest]: readonly string[]): Route {
  if (run === undefined) return { page: "runs", starting: false };
  if (rest.length > 0) return UNKNOWN;
  // No id of a run is `new`: all of them begin with `run_`.
  if (run === "new") return view === undefined ? { page: "runs", starting: true } : UNKNOWN;
  if (view === "log") return { page: "log", run: decoded(run) };
  const found = viewOf(view);
  return found === undefined ? UNKNOWN : { page: "run", run: decoded(run), view: found };
}

/** Reads the view of an address: null where it names none, undefined where there is no such view. */
function viewOf(name: string | undefined): View | null | undefined {
  return name === undefined ? null : VIEWS.find((one) => one === name);
}

function flowsRoute([flow, runs, run, name, ...rest]: readonly string[]): Route {
  if (flow === undefined) return { page: "flows" };
  if (runs === undefined) return { page: "flow", flow: decoded(flow) };
  const view = viewOf(name);
  if (runs !== "runs" || run === undefined || view === undefined || rest.length > 0) return UNKNOWN;
  return { page: "observed", flow: decoded(flow), run: decoded(run), view };
}

function eventsRoute([event, ...rest]: readonly string[]): Route {
  if (event === undefined) return { page: "events" };
  return rest.length > 0 ? UNKNOWN : { page: "event", event: decoded(event) };
}

function accessRoute([named = "keys", ...rest]: readonly string[]): Route {
  const part = ACCESS_PARTS.find((one) => one === named);
  return part === undefined || rest.length > 0 ? UNKNOWN : { page: "access", part };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Returns the address of a run. */
export function runHref(run: string, view?: View): string {
  const path = `/runs/${encodeURIComponent(run)}`;
  return view === undefined ? path : `${path}/${view}`;
}

/** Returns the address of the event log of a run. */
export function logHref(run: string): string {
  return `${runHref(run)}/log`;
}

/** Returns the address of a flow. */
export function flowHref(flow: string): string {
  return `/flows/${encodeURIComponent(flow)}`;
}

/** Returns the address of a run of a flow that was observed. */
export function observedHref(flow: string, run: string, view?: View): string {
  const path = `${flowHref(flow)}/runs/${encodeURIComponent(run)}`;
  return view === undefined ? path : `${path}/${view}`;
}

/** Returns the address of an event. */
export function eventHref(event: string): string {
  return `/events/${encodeURIComponent(event)}`;
}

/** Returns the address of a part of the page of access. */
export function accessHref(part: AccessPart): string {
  return part === "keys" ? "/access" : `/access/${part}`;
}

/** Changes members of a query, null removes one; those that nobody knows are kept. */
export function withQuery(query: string, changes: Readonly<Record<string, string | null>>): string {
  const params = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) params.delete(name);
    else params.set(name, value);
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

/** `push` is undone by going back; `replace` is for what follows a key that is held. */
export type Move = "push" | "replace";

/** Goes to an address of the console. */
export function go(href: string, move: Move = "push"): void {
  if (href === location.pathname + location.search) return;
  navigate(href, { replace: move === "replace" });
}

/** Changes members of the query of this page. */
export function goQuery(
  changes: Readonly<Record<string, string | null>>,
  move: Move = "push",
): void {
  go(location.pathname + withQuery(location.search, changes), move);
}

/** Returns where the page is. */
export function useRoute(): Route {
  const path = useLocationProperty(() => location.pathname);
  return useMemo(() => routeOf(path), [path]);
}

/** Returns the query of the page. */
export function useQuery(): URLSearchParams {
  const query = useSearch();
  return useMemo(() => new URLSearchParams(query), [query]);
}
