/** Addresses: what the page shows stands in its URL, so that it can be shared, reloaded and gone back from. */

import { useMemo, useSyncExternalStore } from "react";

export const VIEWS = ["list", "timeline"] as const;
export type View = (typeof VIEWS)[number];

export type Route =
  | { readonly page: "runs" }
  /** Without a view: the one that was last used. */
  | { readonly page: "run"; readonly run: string; readonly view: View | null }
  | { readonly page: "unknown" };

/** Reads a path. */
export function routeOf(path: string): Route {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.length === 0 || (parts.length === 1 && parts[0] === "runs")) return { page: "runs" };
  const [top, run, view, ...rest] = parts;
  if (top !== "runs" || run === undefined || rest.length > 0) return { page: "unknown" };
  const found = VIEWS.find((one) => one === view);
  if (view !== undefined && found === undefined) return { page: "unknown" };
  return { page: "run", run: decoded(run), view: found ?? null };
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
  if (move === "push") history.pushState(null, "", href);
  else history.replaceState(null, "", href);
  dispatchEvent(new Event("stepwell:moved"));
}

/** Changes members of the query of this page. */
export function goQuery(
  changes: Readonly<Record<string, string | null>>,
  move: Move = "push",
): void {
  go(location.pathname + withQuery(location.search, changes), move);
}

function listen(listener: () => void): () => void {
  addEventListener("popstate", listener);
  addEventListener("stepwell:moved", listener);
  return () => {
    removeEventListener("popstate", listener);
    removeEventListener("stepwell:moved", listener);
  };
}

/** Returns where the page is. */
export function useRoute(): Route {
  const path = useSyncExternalStore(listen, () => location.pathname);
  return useMemo(() => routeOf(path), [path]);
}

/** Returns the query of the page. */
export function useQuery(): URLSearchParams {
  const query = useSyncExternalStore(listen, () => location.search);
  return useMemo(() => new URLSearchParams(query), [query]);
}
