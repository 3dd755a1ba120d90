/** Names of runs and steps within the sentences of acts. */

import { Fragment, type ReactNode } from "react";
import { type Dialect, wholeStepWord } from "../model/dialects.ts";
import { instant } from "../model/instants.ts";
import { type ActName, isOffered } from "../model/offers.ts";
import { hasEnded, nameOf, type Run, type Step, titleOf } from "../model/run.ts";
import { count, elapsed, statusWord } from "../model/words.ts";
import { Foreign, Name } from "../ui/text.tsx";

/** Names a run as people tell runs apart: its workflow, and the end of its id. */
export function RunName({ run }: { readonly run: Run }): ReactNode {
  return (
    <>
      <Foreign>{run.workflow}</Foreign>{" "}
      <span className="run-end mono" title={run.id}>
        …{run.id.slice(-6)}
      </span>
    </>
  );
}

const NAMED_MAX = 4;

/** Names steps as prose does; of many the first ones, and how many more. */
export function StepNames({ ids }: { readonly ids: readonly string[] }): ReactNode {
  const shown = ids.length > NAMED_MAX + 1 ? ids.slice(0, NAMED_MAX) : ids;
  const more = ids.length - shown.length;
  const parts: ReactNode[] = shown.map((id) => <Name key={id}>{titleOf(id)}</Name>);
  if (more > 0) parts.push(<Fragment key="more">{count(more)} more</Fragment>);
  return parts.map((part, at) => (
    <Fragment key={`${at}`}>
      {at === 0 ? "" : at === parts.length - 1 ? " and " : ", "}
      {part}
    </Fragment>
  ));
}

/** Says why an act is not possible in the state that a run is in; null where it is. */
export function overWords(
  run: Run,
  [act, step]: readonly [act: ActName, step: string | null],
  now: number,
  dialect: Dialect,
): string | null {
  if (isOffered(run, act, step)) return null;
  if (hasEnded(run)) {
    const ago = run.endedAt === null ? "" : ` ${elapsed(now - instant(run.endedAt))} ago`;
    return `The run has ended: ${statusWord(run.status)}${ago}.`;
  }
  const about = run.steps.find((one) => one.id === step);
  if (about === undefined || isOnRun(act)) {
    return `This is not possible while the run is ${statusWord(run.status)}.`;
  }
  return `This is not possible for ${nameOf(about.id)}, which is ${wholeStepWord(about.status, dialect)}.`;
}

/** Acts for which it does not matter which step is selected. */
function isOnRun(act: ActName): boolean {
  return act === "pause" || act === "cancel" || act === "delete";
}

/** Lists steps of a status as they stand. */
export function idsOf(steps: readonly Step[]): readonly string[] {
  return steps.map((step) => step.id);
}
