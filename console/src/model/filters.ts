/** Filters of the list of runs: as the address has them, as people read them, and as the server is asked. */

import type { RunStatus } from "./run.ts";
import { count, moment } from "./words.ts";

/** What a filter may be about, beside statuses, text and attributes. */
export const FIELDS = ["app", "workflow", "id", "key", "parent", "from", "to"] as const;
export type Field = (typeof FIELDS)[number];

export const OPS = ["=", "<", "<=", ">", ">="] as const;
export type Op = (typeof OPS)[number];

export type Filter =
  | { readonly field: Field; readonly value: string }
  | {
      readonly field: "attribute";
      readonly name: string;
      readonly op: Op;
      readonly value: string;
    };

/** Which runs a list has, where it does not have both: durable ones, or those that are only observed. */
export const KINDS = ["durable", "observed"] as const;
export type Kind = (typeof KINDS)[number];

/** All that narrows the list. */
export interface Filters {
  readonly text: string;
  /** The statuses that are shown; none of them stands for all. */
  readonly statuses: readonly RunStatus[];
  readonly filters: readonly Filter[];
  /** Both kinds where it is absent. */
  readonly kind?: Kind;
}

export const NO_FILTERS: Filters = { text: "", statuses: [], filters: [] };

/** Open statuses by urgency, then ended ones. */
export const OPEN_STATUSES = [
  "blocked",
  "stuck",
  "compensating",
  "running",
  "waiting",
  "queued",
  "paused",
] as const satisfies readonly RunStatus[];
export const ENDED_STATUSES = [
  "failed",
  "timed_out",
  "cancelled",
  "completed",
] as const satisfies readonly RunStatus[];
export const RUN_STATUSES: readonly RunStatus[] = [...OPEN_STATUSES, ...ENDED_STATUSES];

/** How the address calls a field. */
const IN_ADDRESS: Readonly<Record<Field, string>> = {
  app: "app",
  workflow: "wf",
  id: "id",
  key: "key",
  parent: "parent",
  from: "from",
  to: "to",
};
const ATTRIBUTE = "attr.";

/** Reads the query of an address. What is not known there is passed over. */
export function filtersOf(query: URLSearchParams): Filters {
  const wanted = (query.get("status") ?? "").split(",");
  const filters: Filter[] = [];
  for (const field of FIELDS) {
    const value = query.get(IN_ADDRESS[field]);
    if (value !== null && value !== "") filters.push({ field, value });
  }
  for (const [key, text] of query) {
    const name = key.startsWith(ATTRIBUTE) ? key.slice(ATTRIBUTE.length) : "";
    if (name !== "") filters.push({ field: "attribute", name, ...readTerm(text) });
  }
  const kind = KINDS.find((one) => one === query.get("kind"));
  return {
    ...(kind && { kind }),
    text: query.get("q") ?? "",
    statuses: RUN_STATUSES.filter((status) => wanted.includes(status)),
    filters,
  };
}

/** Longer signs first: `<=` begins as `<` does. */
const SIGNS: readonly Op[] = ["<=", ">=", "<", ">", "="];

function readTerm(text: string): { readonly op: Op; readonly value: string } {
  const op = SIGNS.find((sign) => text.startsWith(sign));
  return op === undefined ? { op: "=", value: text } : { op, value: text.slice(op.length) };
}

/** Writes a term, so that reading gives it back: without a sign where none is needed. */
function writeTerm(op: Op, value: string): string {
  return op === "=" && !/^[<>=]/.test(value) ? value : op + value;
}

/** Writes filters into the query of an address. Members that are not about filters are kept. */
export function withFilters(query: string, { text, statuses, filters, kind }: Filters): string {
  const params = new URLSearchParams(query);
  const known = new Set<string>(["q", "status", "kind", ...Object.values(IN_ADDRESS)]);
  for (const key of [...params.keys()]) {
    if (known.has(key) || key.startsWith(ATTRIBUTE)) params.delete(key);
  }
  if (kind !== undefined) params.set("kind", kind);
  if (text !== "") params.set("q", text);
  if (statuses.length > 0) params.set("status", statuses.join(","));
  for (const filter of filters) {
    if (filter.field !== "attribute") params.set(IN_ADDRESS[filter.field], filter.value);
    else params.append(ATTRIBUTE + filter.name, writeTerm(filter.op, filter.value));
  }
  const written = params.toString();
  return written === "" ? "" : `?${written}`;
}

/** Writes filters as the parameters of the list of runs of both kinds. */
export function listParametersOf(filters: Filters): URLSearchParams {
  const { kind } = filters;
  const params = parametersOf(filters, kind === "durable" ? DURABLE : RUN_STATUSES);
  // Durable runs are what the API lists where nothing is said.
  if (kind !== "durable") params.set("kind", kind ?? "all");
  return params;
}

/** What durable runs may be. */
const DURABLE: readonly RunStatus[] = RUN_STATUSES.filter((status) => status !== "stuck");

/** Writes filters as the parameters that the API takes for durable runs: counts of them, acts on them, exports. */
export function parametersOf(
  { text, statuses: wanted, filters }: Filters,
  known: readonly RunStatus[] = DURABLE,
): URLSearchParams {
  const statuses = wanted.filter((status) => known.includes(status));
  const params = new URLSearchParams();
  const terms: string[] = [];
  for (const filter of filters) {
    if (filter.field === "attribute") terms.push(filter.name + filter.op + termValue(filter.value));
    else params.set(filter.field, filter.value);
  }
  if (statuses.length > 0) params.set("status", statuses.join(","));
  if (text !== "") params.set("q", text);
  if (terms.length > 0) params.set("search", terms.join(","));
  return params;
}

/** The server divides terms at commas, and reads a value as JSON where it is some. */
function termValue(value: string): string {
  return isJson(value) || !/[",]|^=/.test(value) ? value : JSON.stringify(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Says whether two filters cannot stand beside each other: each field has one value. */
export function replaces(one: Filter, other: Filter): boolean {
  if (one.field !== "attribute" || other.field !== "attribute") return one.field === other.field;
  return one.name === other.name && one.op === other.op;
}

/** Puts a filter in the place of another, or behind all; what it replaces goes. */
export function putFilter(all: Filters, put: Filter, instead: Filter | null = null): Filters {
  const at = instead === null ? -1 : all.filters.indexOf(instead);
  const others = (filter: Filter) => filter !== instead && !replaces(filter, put);
  if (at < 0) return { ...all, filters: [...all.filters.filter(others), put] };
  const before = all.filters.slice(0, at).filter(others);
  return { ...all, filters: [...before, put, ...all.filters.slice(at + 1).filter(others)] };
}

/** Takes a filter away. */
export function dropFilter(all: Filters, drop: Filter): Filters {
  return { ...all, filters: all.filters.filter((filter) => filter !== drop) };
}

/** Turns a status on or off. */
export function toggleStatus(all: Filters, status: RunStatus): Filters {
  const on = new Set(all.statuses);
  if (!on.delete(status)) on.add(status);
  return { ...all, statuses: RUN_STATUSES.filter((one) => on.has(one)) };
}

/** Says whether only observed runs can fit: nothing can be done to them, and they are not counted. */
export function isObservedOnly({ kind, statuses }: Filters): boolean {
  return kind === "observed" || (statuses.length === 1 && statuses[0] === "stuck");
}

/** Returns the filters with another kind, or with both. */
export function withKind({ kind: _, ...all }: Filters, kind: Kind | null): Filters {
  return kind === null ? all : { ...all, kind };
}

/** Counts what narrows the list, the statuses as one. */
export function countOf({ text, statuses, filters, kind }: Filters): number {
  const others = [text !== "", statuses.length > 0, kind !== undefined];
  return filters.length + others.filter(Boolean).length;
}

/** Lists the filters with each of them taken away once: what can be done where nothing matches. */
export function without(
  all: Filters,
): readonly { readonly what: Without; readonly rest: Filters }[] {
  return [
    ...(all.statuses.length === 0
      ? []
      : [{ what: "statuses" as const, rest: { ...all, statuses: [] } }]),
    ...(all.kind === undefined ? [] : [{ what: "kind" as const, rest: withKind(all, null) }]),
    ...(all.text === "" ? [] : [{ what: "text" as const, rest: { ...all, text: "" } }]),
    ...all.filters.map((filter) => ({ what: filter, rest: dropFilter(all, filter) })),
  ];
}

/** What is taken away: the text, the statuses, the kind, or one of the other filters. */
export type Without = "text" | "statuses" | "kind" | Filter;

/** A filter as people read it: `app`, `is`, `shop`. */
export interface FilterWords {
  readonly name: string;
  readonly relation: string;
  readonly value: string;
}

const UNITS: Readonly<Record<string, string>> = {
  m: "minute",
  h: "hour",
  d: "day",
  w: "week",
};

/** Says a filter in words. */
export function wordsOf(filter: Filter, now: number): FilterWords {
  switch (filter.field) {
    case "attribute":
      return { name: filter.name, relation: relationOf(filter.op), value: filter.value };
    case "from":
    case "to":
      return timeWords(filter.field, filter.value, now);
    case "id":
      return { name: "id", relation: "ends in", value: filter.value };
    default:
      return { name: filter.field, relation: "", value: filter.value };
  }
}

function relationOf(op: Op): string {
  return { "=": "", "<": "<", "<=": "≤", ">": ">", ">=": "≥" }[op];
}

function timeWords(field: "from" | "to", value: string, now: number): FilterWords {
  const back = /^(\d+)([mhdw])$/.exec(value);
  if (back !== null) {
    const length = `${count(Number(back[1]))} ${UNITS[back[2] ?? ""]}${back[1] === "1" ? "" : "s"}`;
    return field === "from"
      ? { name: "started", relation: "last", value: length }
      : { name: "started", relation: "before", value: `${length} ago` };
  }
  const at = Date.parse(value);
  const relation = field === "from" ? "from" : "before";
  return { name: "started", relation, value: Number.isNaN(at) ? value : moment(at, now) };
}
