/** What the palette can do besides finding runs: acts and steps of the run that is shown, views, pages, settings. */

import { openAct } from "../acts/acts.tsx";
import { DIALECT_NAMES, DIALECTS } from "../model/dialects.ts";
import { actWord, offersOf } from "../model/offers.ts";
import type { Entry } from "../model/palette.ts";
import type { Deed } from "../model/rights.ts";
import { type Run, type RunRow, type StepStatus, titleOf } from "../model/run.ts";
import { kindWords } from "../model/step-words.ts";
import { capital, statusWord, visible } from "../model/words.ts";
import { go, goQuery, logHref, runHref, VIEWS } from "../route.ts";
import { shownKey } from "../run/run-acts.tsx";
import { setDialect } from "../ui/dialect.ts";
import { setTheme, THEMES } from "../ui/theme.ts";
import { openKeys, openSettings } from "./open.ts";

/** An entry with what choosing it does. */
export interface Doing extends Entry {
  /** Said beside it, faint. */
  readonly hint: string;
  /** The glyph before it, of a run or of a step. */
  readonly status?: RunRow["status"];
  readonly step?: StepStatus;
  readonly keys?: string | undefined;
  /** Why it cannot be chosen; null where it can. */
  readonly off?: string | null;
  readonly onChoose: () => void;
}

type WhyOff = (deed: Deed) => string | null;
type Plain = readonly [text: string, hint: string, onChoose: () => void, keys?: string];

function entries(group: string, all: readonly Plain[]): readonly Doing[] {
  return all.map(([text, hint, onChoose, keys]) => ({
    id: `${group} ${text}`,
    group,
    text,
    hint,
    keys,
    onChoose,
  }));
}

/** Lists what does not depend on a question to the server. */
export function entriesOf(run: Run | null, whyOff: WhyOff): readonly Doing[] {
  return [
    ...(run === null ? [] : [...actsOf(run, whyOff), ...stepsOf(run), ...viewsOf(run)]),
    ...entries("Pages", [
      ["Runs", "all runs", () => go("/runs"), "g r"],
      ["Events", "", () => go("/events"), "g e"],
      ["Runners", "", () => go("/runners"), "g n"],
      ["Flows", "code that is only observed", () => go("/flows"), "g f"],
      ["Access", "keys, namespaces, audit log", () => go("/access"), "g a"],
      ["API reference", "every operation of the server", () => go("/reference")],
    ]),
    { ...START, off: whyOff("start") },
    { ...JOBS, off: whyOff("bulk") },
    ...entries("Settings", [
      ...THEMES.map((theme): Plain => [`Theme: ${theme}`, "", () => setTheme(theme)]),
      ...DIALECTS.map((one): Plain => {
        return [`Status words: ${DIALECT_NAMES[one]}`, "of steps", () => setDialect(one)];
      }),
      ["Keys", "all keys of this page", openKeys, "?"],
      ["Settings", "theme, status words, keys, your name", openSettings],
    ]),
  ];
}

const START: Doing = {
  id: "start",
  group: "Pages",
  text: "Start a run",
  hint: "",
  onChoose: () => go("/runs/new"),
};

const JOBS: Doing = {
  id: "bulk",
  group: "Pages",
  text: "Acts on many runs",
  hint: "those until now",
  onChoose: () => go("/runs?job=all"),
};

function actsOf(run: Run, whyOff: WhyOff): readonly Doing[] {
  return offersOf(run).map((offer) => ({
    id: `act ${offer.act} ${offer.step}`,
    group: "Acts on this run",
    text: visible(actWord(run, offer)),
    hint: visible(run.workflow),
    keys: shownKey(offer) ?? undefined,
    off: whyOff(offer.act),
    onChoose: () => openAct(offer),
  }));
}

function stepsOf(run: Run): readonly Doing[] {
  return run.steps.map((step) => ({
    id: `step ${step.id}`,
    group: "Steps of this run",
    text: visible(titleOf(step.id)),
    hint: visible(kindWords(step)),
    step: step.status,
    onChoose: () => goQuery({ step: step.id, many: null, about: null }),
  }));
}

function viewsOf(run: Run): readonly Doing[] {
  const views = VIEWS.map((view, at) => ({
    id: `view ${view}`,
    group: "Views",
    text: capital(view),
    hint: "of this run",
    keys: `${at + 1}`,
    onChoose: () => go(runHref(run.id, view) + location.search),
  }));
  const onChoose = () => go(logHref(run.id));
  return [
    ...views,
    { id: "view log", group: "Views", text: "Event log", hint: "of this run", onChoose },
  ];
}

/** Makes entries of runs that the server found. */
export function entriesOfRuns(runs: readonly RunRow[]): readonly Doing[] {
  return runs.map((run) => ({
    id: `run ${run.id}`,
    group: "Runs",
    text: `${visible(run.workflow)} …${run.id.slice(-6)}`,
    hint: `${statusWord(run.status)} · ${visible(run.app)}`,
    status: run.status,
    onChoose: () => go(runHref(run.id)),
  }));
}
