/**
 * Who is at the page and what they may do: the one place that says so. It only decides what is offered; the server
 * decides what is done.
 */

import type { ActName } from "./offers.ts";

export const ROLES = ["viewer", "client", "operator", "worker", "telemetry", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** What `GET /api/v1/me` tells. */
export interface Me {
  /** `loopback`: this server asks for no key, and takes requests of its own machine only. */
  readonly access: "keys" | "loopback";
  readonly namespace: string;
  readonly role: string;
  /** Null where no key is asked for. */
  readonly key: { readonly id: string; readonly name: string } | null;
  readonly rights: ReadonlySet<string>;
}

/** What can be done or seen in the console that not every key may. */
export type Deed =
  | ActName
  | "start"
  | "read"
  | "bulk"
  | "export"
  | "keys"
  | "audit"
  | "namespaces"
  | "letGo";

interface Need {
  /** As the API names it. */
  readonly right: string;
  /** As the begin of a sentence goes on: "cancelling" needs …. */
  readonly doing: string;
}

const START = "start";
const ACT = "act";
const ADMIN = "admin";

const NEEDS: Readonly<Record<Deed, Need>> = {
  read: { right: "read", doing: "looking at runs" },
  start: { right: START, doing: "starting a run" },
  send: { right: START, doing: "sending an event" },
  cancel: { right: START, doing: "cancelling" },
  pause: { right: ACT, doing: "pausing" },
  resume: { right: ACT, doing: "resuming" },
  retry: { right: ACT, doing: "retrying" },
  terminate: { right: ACT, doing: "terminating" },
  rerun: { right: ACT, doing: "rerunning" },
  fork: { right: ACT, doing: "forking" },
  resolve: { right: ACT, doing: "resolving a step" },
  bulk: { right: ACT, doing: "acting on many runs" },
  delete: { right: ACT, doing: "deleting" },
  export: { right: ACT, doing: "exporting" },
  keys: { right: ADMIN, doing: "managing keys" },
  audit: { right: ADMIN, doing: "reading the audit log" },
  namespaces: { right: "server", doing: "managing namespaces" },
  letGo: { right: "server", doing: "letting runs go" },
};

/** The least roles that have a right; admins have every one. */
const HOLDERS: Readonly<Record<string, readonly string[]>> = {
  read: ["viewer", "client", "operator"],
  start: ["client", "operator"],
  act: ["operator"],
  admin: ["admin"],
  server: ["admin in the namespace default"],
};

/** Says whether somebody may do something. */
export function may(me: Me, deed: Deed): boolean {
  return me.rights.has(NEEDS[deed].right);
}

/** Says why somebody may not do something; null where they may. */
export function whyNot(me: Me, deed: Deed): string | null {
  if (may(me, deed)) return null;
  const { right, doing } = NEEDS[deed];
  const needed = (HOLDERS[right] ?? [right]).join(" or ");
  return `Your key has the role ${me.role}; ${doing} needs ${needed}.`;
}

/** Reads an answer of `GET /api/v1/me`. */
export function readMe(answer: unknown): Me {
  const { access, namespace, role, key, rights } = (answer ?? {}) as Record<string, unknown>;
  const isMe =
    (access === "keys" || access === "loopback") &&
    typeof namespace === "string" &&
    typeof role === "string" &&
    Array.isArray(rights);
  if (!isMe) throw new TypeError("the server's answer does not say who you are");
  const { id, name } = (key ?? {}) as Record<string, unknown>;
  const named = typeof id === "string" && typeof name === "string" ? { id, name } : null;
  return { access, namespace, role, key: named, rights: new Set(rights.map(String)) };
}

/** Says whether two answers are about the same person. */
export function isSame(one: Me, other: Me): boolean {
  return (
    one.access === other.access &&
    one.namespace === other.namespace &&
    one.role === other.role &&
    one.key?.id === other.key?.id
  );
}
