/** Which runs a list holds. */

import { durationText } from "../duration.js";
import { ArgumentError } from "../errors/base.js";
import { checkMembers, checkUnicode } from "../name.js";
import { attributeProblem } from "../search.js";
import type { SearchValue } from "../types/context.js";
import type { Duration } from "../types/duration.js";
import type { RunStatus } from "./views.js";

/** How an attribute is compared (§9.4). */
export type SearchRange = { readonly [Op in "<" | "<=" | ">" | ">="]?: SearchValue };

/** Which runs a list holds: those that fit all that is said. */
export interface RunFilter {
  readonly app?: string;
  readonly workflow?: string;
  readonly key?: string;
  readonly status?: RunStatus | readonly RunStatus[];
  /** Only children of this run. */
  readonly parent?: string;
  /** The whole id, or how it ends: at least its last 4 hexadecimal digits. */
  readonly id?: string;
  /** Part of workflow, key, id, search attributes, or the error with which it ended, whatever its case. */
  readonly query?: string;
  /** Created at or after: an instant, or a duration back from now. */
  readonly from?: Date | Duration;
  /** Created before: an instant, or a duration back from now. */
  readonly to?: Date | Duration;
  /** Search attributes: exactly, or by range: `{ country: "DE", amount: { ">=": 10 } }`. */
  readonly search?: Readonly<Record<string, SearchValue | SearchRange>>;
}

const MEMBERS = [
  "app",
  "workflow",
  "key",
  "status",
  "parent",
  "id",
  "query",
  "from",
  "to",
  "search",
];
const OPS = ["<", "<=", ">", ">="];

/** Returns the filter as a query; `more` are further members that the caller knows. */
export function filterQuery(filter: RunFilter, more: readonly string[]): URLSearchParams {
  checkMembers("runs.list", filter, [...MEMBERS, ...more]);
  const query = new URLSearchParams();
  for (const name of ["app", "workflow", "key", "parent", "id"] as const) {
    const value = filter[name];
    if (value === undefined) continue;
    checkUnicode(`runs.list: \`${name}\``, value);
    query.set(name, value);
  }
  if (filter.query !== undefined) {
    checkUnicode("runs.list: `query`", filter.query);
    query.set("q", filter.query);
  }
  if (filter.status !== undefined) query.set("status", [filter.status].flat().join(","));
  for (const name of ["from", "to"] as const) {
    const value = filter[name];
    if (value instanceof Date) query.set(name, value.toISOString());
    else if (value !== undefined) query.set(name, durationText(value));
  }
  if (filter.search !== undefined) query.set("search", terms(filter.search));
  return query;
}

function terms(search: NonNullable<RunFilter["search"]>): string {
  const term = ([name, wanted]: [string, SearchValue | SearchRange]): string[] => {
    // The server reads a name up to the first of these.
    if (/[=<>,"]/.test(name)) {
      throw new ArgumentError(`runs.list: the search attribute \`${name}\` holds one of = < > , "`);
    }
    const written = (op: string, value: unknown): string => {
      const why = attributeProblem(name, value);
      if (why !== undefined) throw new ArgumentError(`runs.list: ${why}`);
      return `${name}${op}${JSON.stringify(value)}`;
    };
    if (typeof wanted !== "object") return [written("=", wanted)];
    checkMembers(`runs.list: the search attribute \`${name}\``, wanted, OPS);
    return Object.entries(wanted).map(([op, value]) => written(op, value));
  };
  return Object.entries(search).flatMap(term).join(",");
}
