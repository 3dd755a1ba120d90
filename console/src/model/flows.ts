/** Flows as the API tells them: what is declared or was learned, and how its runs do. */

import { type Dialect, stepWord, wholeStepWord } from "./dialects.ts";
import type { FlowEdge } from "./observed.ts";
import { count, counted } from "./words.ts";

export const WINDOWS = ["1h", "24h", "7d"] as const;
/** How far back a flow is looked at. */
export type FlowWindow = (typeof WINDOWS)[number];

/** A row of the list of flows. */
export interface FlowRow {
  readonly flow: string;
  readonly name: string;
  readonly declared: boolean;
  readonly steps: number;
  readonly firstAt: string | null;
  readonly lastAt: string | null;
  readonly last24h: { readonly runs: number; readonly failed: number };
  readonly now: { readonly running: number; readonly stuck: number };
}

/** What happened to a step: calls that returned and that threw, runs that skipped, missed or did not reach it. */
export interface StepCounts {
  readonly ok: number;
  readonly failed: number;
  readonly skipped: number;
  readonly missing: number;
  readonly notReached: number;
}

export interface FlowStep {
  readonly key: string;
  readonly name: string;
  readonly declared: boolean;
  readonly terminal: boolean;
  readonly counts: StepCounts;
  /** In how many runs it was the first that failed. */
  readonly firstFailed: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** A part of the window: runs that began in it, and those of them that failed. */
export interface HealthPart {
  readonly at: string;
  readonly runs: number;
  readonly failed: number;
  readonly missing: number;
}

export interface FlowView {
  readonly flow: string;
  readonly name: string;
  readonly declared: boolean;
  /** Its steps and edges are those that its runs show. */
  readonly learned: boolean;
  readonly stuckAfterMs: number;
  readonly quietAfterMs: number;
  readonly windowMs: number;
  readonly steps: readonly FlowStep[];
  readonly edges: readonly FlowEdge[];
  readonly health: readonly HealthPart[];
  readonly runs: {
    readonly total: number;
    readonly failed: number;
    readonly running: number;
    readonly stuck: number;
  };
}

/** Errors that are the same. */
export interface ErrorGroup {
  readonly fingerprint: string;
  readonly step: string;
  readonly name: string;
  readonly message: string;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly lastRun: string;
}

/** Reads the window of an address: a day where it names none. */
export function windowOf(text: string | null): FlowWindow {
  return WINDOWS.find((one) => one === text) ?? "24h";
}

/** Returns what is asked for a flow, or for a part of it, below `/api/v1`. */
export function flowPath(flow: string, window: FlowWindow, part: "" | "/errors" = ""): string {
  return `/flows/${encodeURIComponent(flow)}${part}?window=${window}`;
}

/** Reads an answer of `GET /flows`: those with something stuck first, then by their last event. */
export function readFlows(answer: unknown): readonly FlowRow[] {
  const { flows } = (answer ?? {}) as { flows?: unknown };
  if (!Array.isArray(flows)) throw new TypeError("the server's answer holds no flows");
  // What is inside a list of the server's is its word.
  const rows = flows as readonly FlowRow[];
  const isStuck = (row: FlowRow) => (row.now.stuck > 0 ? 1 : 0);
  return rows.toSorted(
    (a, b) =>
      isStuck(b) - isStuck(a) ||
      (b.lastAt ?? "").localeCompare(a.lastAt ?? "") ||
      a.flow.localeCompare(b.flow),
  );
}

/** Reads an answer of `GET /flows/{flow}`. */
export function readFlow(answer: unknown): FlowView {
  const view = (answer ?? {}) as Partial<FlowView>;
  const isFlow =
    typeof view.flow === "string" && Array.isArray(view.steps) && Array.isArray(view.health);
  if (!isFlow) throw new TypeError("the server's answer is not a flow");
  // Checked above; the rest is the server's word.
  return view as FlowView;
}

/** Reads an answer of `GET /flows/{flow}/errors`: what was thrown last comes first. */
export function readErrors(answer: unknown): readonly ErrorGroup[] {
  const { errors } = (answer ?? {}) as { errors?: unknown };
  if (!Array.isArray(errors)) throw new TypeError("the server's answer holds no errors");
  // What is inside a list of the server's is its word.
  return (errors as readonly ErrorGroup[]).toSorted((a, b) => b.lastAt.localeCompare(a.lastAt));
}

/** Returns the step that was most often the first to fail; null where none failed. */
export function firstFailing(view: FlowView): FlowStep | null {
  let found: FlowStep | null = null;
  for (const step of view.steps) {
    if (step.firstFailed > (found?.firstFailed ?? 0)) found = step;
  }
  return found;
}

/** Words for the windows, as the end of a sentence. */
export const WINDOW_WORDS: Readonly<Record<FlowWindow, string>> = {
  "1h": "in the last hour",
  "24h": "in the last 24\u00a0h",
  "7d": "in the last 7\u00a0days",
};

/** How a flow stands: the hue of its sentence is that of this status. */
export type FlowStanding = "stuck" | "failed" | "completed" | "queued";

/** Says how a flow stands: what is stuck now needs somebody, then what failed in the window. */
export function standingOf({ runs }: FlowView): FlowStanding {
  if (runs.stuck > 0) return "stuck";
  if (runs.failed > 0) return "failed";
  return runs.total > 0 ? "completed" : "queued";
}

/** Says how a flow does, with names in backticks as the server's sentences have them. */
export function flowSentence(view: FlowView, window: FlowWindow): string {
  const { total, failed, running, stuck } = view.runs;
  const missing = view.steps.filter((step) => step.counts.missing > 0);
  const parts = [
    stuck > 0 ? `${counted(stuck, "run")} stuck now.` : "",
    total === 0
      ? `No run began ${WINDOW_WORDS[window]}.`
      : `${counted(total, "run")} ${WINDOW_WORDS[window]}, ${failed === 0 ? "none" : count(failed)} of them failed.`,
    firstWords(view),
    missing.length === 0
      ? ""
      : `${missing.map((step) => `\`${step.key}\``).join(", ")} ${missing.length === 1 ? "is" : "are"} missing in some.`,
    running > 0 ? `${counted(running, "run")} running now.` : "",
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function firstWords(view: FlowView): string {
  const step = firstFailing(view);
  if (step === null) return "";
  return `\`${step.key}\` was the first to fail in ${counted(step.firstFailed, "run")}.`;
}

/** A bar of the histogram of a flow's health. */
export interface HealthBar {
  readonly at: number;
  readonly height: number;
  readonly failedHeight: number;
  /** Steps were missing in runs that ended in it. */
  readonly isMissing: boolean;
  readonly part: HealthPart;
}

/** What there is must be seen, however much more there is elsewhere. */
const LEAST_PX = 2;

/** Draws the parts of a window as bars of at most that height. */
export function healthBars(parts: readonly HealthPart[], heightPx: number): readonly HealthBar[] {
  const most = Math.max(1, ...parts.map((part) => part.runs));
  const px = (value: number) =>
    value === 0 ? 0 : Math.max(LEAST_PX, Math.round((value / most) * heightPx));
  return parts.map((part) => ({
    at: Date.parse(part.at),
    height: px(part.runs),
    failedHeight: Math.min(px(part.failed), px(part.runs)),
    isMissing: part.missing > 0,
    part,
  }));
}

/** Counts of a step as people read them who know a system: what there is none of is left out. */
export function countsWords(
  counts: StepCounts,
  dialect: Dialect,
): readonly {
  readonly status: "completed" | "failed" | "missing" | "not_reached" | "skipped";
  readonly n: number;
  readonly text: string;
}[] {
  const { ok, failed, missing, notReached, skipped } = counts;
  const returned = dialect === "stepwell" ? "ok" : stepWord("completed", dialect);
  // Where a step that was left out has the word of one that returned, it is to be told from that.
  const leftOut = wholeStepWord("skipped", dialect);
  const all = [
    { status: "completed", n: ok, text: `${count(ok)} ${returned}` },
    { status: "failed", n: failed, text: `${count(failed)} ${stepWord("failed", dialect)}` },
    { status: "missing", n: missing, text: `${count(missing)} missing` },
    { status: "not_reached", n: notReached, text: `${count(notReached)} not reached` },
    { status: "skipped", n: skipped, text: `${count(skipped)} ${leftOut}` },
  ] as const;
  return all.filter(({ n }) => n > 0);
}
