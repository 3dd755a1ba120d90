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
  | { readonly page: "access"; readonly part: AccessPart }
  | { readonly page: "reference" }
  | { readonly page: "unknown" };

const UNKNOWN: Route = { page: "unknown" };

/** Reads a path. */
export function routeOf(path: string): Route {
  const [top = "runs", ...rest] = path.split("/").filter((part) => part !== "");
  if (top === "runs") return runsRoute(rest);
  if (top === "events") return eventsRoute(rest);
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
  const found = VIEWS.find((one) => one === view);
  if (view !== undefined && found === undefined) return UNKNOWN;
  return { page: "run", run: decoded(run), view: found ?? null };
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
