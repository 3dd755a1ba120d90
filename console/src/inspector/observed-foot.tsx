/** The foot of a step that was observed: how it does in the last 24 hours, and ways to take it along. */

import type { ReactNode } from "react";
import { flowsChanged, useLiveQuery } from "../api/live-query.ts";
import { flowPath, readFlow } from "../model/flows.ts";
import type { ObservedRun, ObservedStep } from "../model/observed.ts";
import type { Step } from "../model/run.ts";
import { titleOf } from "../model/run.ts";
import { observedCurlOf, rawOf } from "../model/take.ts";
import { roundDuration } from "../model/words.ts";
import { usePage } from "../run/use-page.ts";
import { StepCountsBar } from "../ui/step-counts.tsx";
import { FootActs } from "./foot-acts.tsx";
import { StepNames } from "./step-names.tsx";
import type { Tab } from "./tabs.tsx";

/** What is of 24 hours need not be asked for often. */
const EVERY_MS = 10_000;

interface FootProps {
  readonly run: ObservedRun;
  readonly step: Step;
  readonly of: ObservedStep;
  readonly tab: Tab | null;
}

/** Shows the foot of a step. */
export function ObservedFoot({ run, step, of, tab }: FootProps): ReactNode {
  const { contents } = usePage();
  const { data } = useLiveQuery({
    path: flowPath(run.flow, "24h"),
    read: readFlow,
    when: flowsChanged,
    everyMs: EVERY_MS,
  });
  const day = data?.steps.find((one) => one.key === of.key);
  return (
    <>
      <dl className="foot-facts">
        {day !== undefined && (
          <>
            <dt>Last 24 h</dt>
            <dd>
              <StepCountsBar counts={day.counts} />
            </dd>
          </>
        )}
        <dt>Stuck after</dt>
        <dd>{roundDuration(run.stuckAfterMs)}</dd>
        <StepNames words="After" ids={step.after} />
        <StepNames words="Then" ids={contents.followers.get(step.id) ?? []} />
      </dl>
      <TakeObserved run={run} subject={of} tab={tab} />
    </>
  );
}

interface TakeProps {
  readonly run: ObservedRun;
  readonly subject: ObservedStep | ObservedRun;
  readonly tab: Tab | null;
}

/** Ways to take along what the tab shows, and a command that asks for the run. */
export function TakeObserved({ run, subject, tab }: TakeProps): ReactNode {
  return (
    <FootActs
      name={"key" in subject ? titleOf(subject.key) : subject.run}
      tab={tab}
      raw={() => rawOf(subject)}
      curl={() => observedCurlOf(run, location.origin)}
    />
  );
}
