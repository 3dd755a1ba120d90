/** The foot of the inspector: what a step stands between, and ways to take it along. */

import type { ReactNode } from "react";
import { instant } from "../model/instants.ts";
import { nameOf, type Run, type Step, titleOf } from "../model/run.ts";
import { cliOf, curlOf, rawOf } from "../model/take.ts";
import { clock } from "../model/words.ts";
import { usePage } from "../run/use-page.ts";
import { Copy } from "../ui/copy.tsx";
import { RunLink } from "../ui/run-link.tsx";
import { At, Name } from "../ui/text.tsx";
import { FootActs } from "./foot-acts.tsx";
import { StepNames } from "./step-names.tsx";
import type { Tab } from "./tabs.tsx";

/** Shows the foot of a step. */
export function StepFoot({
  step,
  tab,
}: {
  readonly step: Step;
  readonly tab: Tab | null;
}): ReactNode {
  const { contents } = usePage();
  const begun = instant(step.startedAt ?? step.scheduledAt);
  const isThere = (id: string) => contents.byId.has(id);
  const queued = begun - instant(step.scheduledAt);
  return (
    <>
      <dl className="foot-facts">
        <dt>{step.startedAt === null ? "Known since" : "Started"}</dt>
        <dd>
          <At ms={begun}>{clock(begun, "milliseconds")}</At>
          {queued >= 1 && `, ${Math.round(queued)} ms after it was asked for`}
        </dd>
        <StepNames words="After" ids={step.after} />
        <StepNames words="Then" ids={contents.followers.get(step.id) ?? []} />
        {step.kind === "compensate" && <StepNames words="Compensates" ids={[nameOf(step.id)]} />}
        <StepNames words="Compensation" ids={[`compensate\u001f${step.id}`].filter(isThere)} />
        {step.branch !== undefined && (
          <>
            <dt>Branch</dt>
            <dd>
              <Name>{step.branch.name}</Name> of <Name>{step.branch.race}</Name>
            </dd>
          </>
        )}
        {step.child !== undefined && (
          <>
            <dt>Child</dt>
            <dd>
              <RunLink id={step.child.run} />
            </dd>
          </>
        )}
        {step.keptFrom !== undefined && (
          <>
            <dt>Kept from</dt>
            <dd>
              <RunLink id={step.keptFrom} />
            </dd>
          </>
        )}
      </dl>
      <Take run={contents.run} subject={step} tab={tab} />
    </>
  );
}

/** Shows the foot of a run. */
export function RunFoot({ run, tab }: { readonly run: Run; readonly tab: Tab | null }): ReactNode {
  return <Take run={run} subject={run} tab={tab} />;
}

/** Ways to take along what the tab shows, and commands that show the same. */
function Take(props: {
  readonly run: Run;
  readonly subject: Step | Run;
  readonly tab: Tab | null;
}): ReactNode {
  const { run, subject, tab } = props;
  return (
    <FootActs
      name={titleOf(subject.id)}
      tab={tab}
      raw={() => rawOf(subject)}
      curl={() => curlOf(run, location.origin)}
    >
      <Copy what="as CLI" text={() => cliOf(run, location.origin)}>
        as CLI
      </Copy>
    </FootActs>
  );
}
