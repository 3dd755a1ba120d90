/** The rows of the list: steps, fan-outs, idle time, acts of people, and where clean-up begins. */

import { instant } from "./instants.ts";
import type { ObservedRun } from "./observed.ts";
import { type FanOut, failedFirst, startOf } from "./parallel.ts";
import { isCleanUp, isFailure, type Note, nameOf, type Step } from "./run.ts";
import { idle, isBusy, type Stretch, spansOf } from "./spans.ts";

const IDLE_MS_MIN = 30_000;

/** How a row stands in the bracket of steps that ran side by side. */
export type Bracket = "none" | "begin" | "within" | "end";

export type Row =
  | {
      readonly type: "step";
      readonly key: string;
      readonly step: Step;
      readonly bracket: Bracket;
      readonly member: boolean;
    }
  | {
      readonly type: "fanOut";
      readonly key: string;
      readonly fanOut: FanOut;
      readonly bracket: Bracket;
    }
  | { readonly type: "idle"; readonly key: string; readonly ms: number }
  | { readonly type: "act"; readonly key: string; readonly note: Note }
  /** Says what the rows below it are. */
  | { readonly type: "heading"; readonly key: string; readonly of: Heading }
  | { readonly type: "cleanUp"; readonly key: string };

/** Steps that nobody declared; or those of an observed run beside a durable one. */
export type Heading = "undeclared" | ObservedGroup;

/** The steps of a run that was observed, of the same id or trace as a durable one. */
export interface ObservedGroup {
  readonly run: ObservedRun;
  readonly steps: readonly Step[];
}

/** What a run's list is made of. */
export interface Contents {
  /** In the order in which they ran. */
  readonly steps: readonly Step[];
  readonly fanOutOf: ReadonlyMap<string, FanOut>;
  /** Which group of parallel steps a step is of. */
  readonly groupOf: ReadonlyMap<string, number>;
  readonly history: readonly Note[];
  /** Observed runs that are shown beside its own steps. */
  readonly beside?: readonly ObservedGroup[];
  /** It runs outside: between its steps it may have done anything. */
  readonly isOutside?: boolean;
}

/** What is shown of it. */
export interface Filter {
  readonly text: string;
  readonly failuresOnly: boolean;
}

/** Notes that tell what a person did; the others tell what the engine did by itself and have their own place. */
const ACTS: ReadonlySet<string> = new Set([
  "paused",
  "resumed",
  "cancelled",
  "terminated",
  "retried",
  "resolved",
  "forked",
  "order_changed",
  "handler_retried",
  "verified",
]);

/** Says whether a step passes a filter: its name holds the text, whatever its case. */
export function passes(step: Step, filter: Filter): boolean {
  if (filter.failuresOnly && !isFailure(step)) return false;
  return filter.text === "" || nameOf(step.id).toLowerCase().includes(filter.text.toLowerCase());
}

/** Says whether a filter hides anything. */
export function isFiltering(filter: Filter): boolean {
  return filter.text !== "" || filter.failuresOnly;
}

/** Makes the rows. A filter shows matching steps alone, each by itself; `open` are the fan-outs shown in place. */
export function rowsOf(
  contents: Contents,
  filter: Filter,
  open: ReadonlySet<string>,
  now: number,
): readonly Row[] {
  if (isFiltering(filter)) {
    return allSteps(contents)
      .filter((step) => passes(step, filter))
      .map(rowOfStep);
  }
  const rows = bracketed(folded(contents, open), contents.groupOf);
  return [...withHeading(withNotes(rows, contents, now)), ...rowsBeside(contents)];
}

/** Returns the steps of a run, with those that are shown beside them. */
export function allSteps({ steps, beside = [] }: Contents): readonly Step[] {
  return beside.length === 0 ? steps : [...steps, ...beside.flatMap((group) => group.steps)];
}

function rowOfStep(step: Step): StepRow {
  return { type: "step", key: step.id, step, bracket: "none", member: false };
}

/** Puts a heading before the first step that nobody declared, where others are declared. */
function withHeading(rows: readonly Row[]): readonly Row[] {
  const isUndeclared = (row: Row) => row.type === "step" && row.step.observed?.declared === false;
  const at = rows.findIndex(isUndeclared);
  if (at <= 0 || rows.every((row) => row.type !== "step" || isUndeclared(row))) return rows;
  return [
    ...rows.slice(0, at),
    { type: "heading", key: "undeclared", of: "undeclared" },
    ...rows.slice(at),
  ];
}

function rowsBeside({ beside = [] }: Contents): readonly Row[] {
  return beside.flatMap((group): readonly Row[] => [
    { type: "heading", key: `beside ${group.run.flow} ${group.run.run}`, of: group },
    ...group.steps.map(rowOfStep),
  ]);
}

type StepRow = Extract<Row, { type: "step" | "fanOut" }>;

/** Steps in order, each fan-out once, where its first member stands. */
function folded(contents: Contents, open: ReadonlySet<string>): readonly StepRow[] {
  const rows: StepRow[] = [];
  const told = new Set<string>();
  for (const step of contents.steps) {
    const fanOut = contents.fanOutOf.get(step.id);
    if (fanOut === undefined) rows.push(rowOfStep(step));
    else if (!told.has(fanOut.key)) {
      told.add(fanOut.key);
      rows.push({ type: "fanOut", key: `*${fanOut.key}`, fanOut, bracket: "none" });
      if (open.has(fanOut.key)) rows.push(...membersOf(fanOut));
    }
  }
  return rows;
}

function membersOf(fanOut: FanOut): readonly StepRow[] {
  return failedFirst(fanOut.steps).map((step) => ({
    type: "step",
    key: step.id,
    step,
    bracket: "none",
    member: true,
  }));
}

/** Draws the bracket along neighbours of one group. */
function bracketed(
  rows: readonly StepRow[],
  groupOf: ReadonlyMap<string, number>,
): readonly StepRow[] {
  const group = (row: StepRow | undefined) => {
    if (row === undefined || (row.type === "step" && row.member)) return undefined;
    return groupOf.get(row.type === "step" ? row.step.id : (row.fanOut.steps[0]?.id ?? ""));
  };
  return rows.map((row, at) => {
    const own = group(row);
    if (own === undefined) return row;
    const [above, below] = [group(rows[at - 1]) === own, group(rows[at + 1]) === own];
    const bracket: Bracket = above ? (below ? "within" : "end") : below ? "begin" : "none";
    return { ...row, bracket };
  });
}

/** Puts idle time, acts and the begin of clean-up between the rows, each at its time. */
function withNotes(rows: readonly StepRow[], contents: Contents, now: number): readonly Row[] {
  const gaps = contents.isOutside === true ? [] : gapsOf(contents.steps, now);
  const acts = contents.history.filter((note) => ACTS.has(note.what));
  const all: Row[] = [];
  let [gap, act, cleaning] = [0, 0, false];
  const until = (at: number) => {
    for (; act < acts.length; act += 1) {
      const note = acts[act];
      if (note === undefined || instant(note.at) > at) break;
      all.push({ type: "act", key: `act ${act}`, note });
    }
    for (; gap < gaps.length; gap += 1) {
      const one = gaps[gap];
      if (one === undefined || one.to > at) break;
      all.push({ type: "idle", key: `idle ${one.from}`, ms: one.to - one.from });
    }
  };
  for (const row of rows) {
    const step = row.type === "step" ? row.step : row.fanOut.steps[0];
    if (step !== undefined && !(row.type === "step" && row.member)) {
      until(startOf(step));
      if (!cleaning && isCleanUp(step)) {
        cleaning = true;
        all.push({ type: "cleanUp", key: "clean-up" });
      }
    }
    all.push(row);
  }
  until(Number.POSITIVE_INFINITY);
  return all;
}

/** Returns idle stretches between steps, over 30 s. What is idle at the end is the run's present, not a gap. */
export function gapsOf(steps: readonly Step[], now: number): readonly Stretch[] {
  const first = steps[0];
  const busy = steps.flatMap((step) => spansOf(step, now).filter(isBusy));
  const last = busy.reduce((most, span) => Math.max(most, span.to), Number.NEGATIVE_INFINITY);
  if (first === undefined || last === Number.NEGATIVE_INFINITY) return [];
  return idle(busy, { from: startOf(first), to: last }).filter(
    (gap) => gap.to - gap.from > IDLE_MS_MIN,
  );
}

/** Names what a row is about, so that it can be selected; null where it is about nothing of its own. */
export function selectionOf(row: Row): Selection | null {
  if (row.type === "step") return { type: "step", id: row.step.id };
  return row.type === "fanOut" ? { type: "many", key: row.fanOut.key } : null;
}

/** What is selected in all views: the run itself, a step, or a fan-out. */
export type Selection =
  | { readonly type: "run" }
  | { readonly type: "step"; readonly id: string }
  | { readonly type: "many"; readonly key: string };

/** Says whether two selections are the same. */
export function isSame(a: Selection | null, b: Selection | null): boolean {
  if (a === null || b === null || a.type !== b.type) return a === b;
  if (a.type === "step") return b.type === "step" && a.id === b.id;
  return a.type === "run" || (b.type === "many" && a.key === b.key);
}
