/** The inspector: all that is known of what is selected. */

import { type ReactNode, useId } from "react";
import { StepActs } from "../acts/step-acts.tsx";
import { Counts } from "../list/row.tsx";
import { withWord } from "../model/dialects.ts";
import type { Dock } from "../model/dock.ts";
import { fanOutStatus } from "../model/fan-out.ts";
import { groupOf } from "../model/graph.ts";
import { instant } from "../model/instants.ts";
import type { ObservedStep } from "../model/observed.ts";
import { observedRunOf } from "../model/observed-run.ts";
import { observedStanding } from "../model/observed-words.ts";
import { type FanOut, fanOutName } from "../model/parallel.ts";
import { type Run, type Step, titleOf } from "../model/run.ts";
import { partsOf } from "../model/sentence.ts";
import { kindWords, standing } from "../model/step-words.ts";
import { clock, count, counted } from "../model/words.ts";
import { goQuery, useQuery } from "../route.ts";
import { SentenceParts } from "../run/sentence.tsx";
import { usePage } from "../run/use-page.ts";
import { useDialect } from "../ui/dialect.ts";
import { Glyph } from "../ui/glyph.tsx";
import { Icon } from "../ui/icon.tsx";
import { useKeys } from "../ui/keys.ts";
import { StepGlyph } from "../ui/step-status.tsx";
import { Foreign, Name } from "../ui/text.tsx";
import { RunFoot, StepFoot } from "./foot.tsx";
import { Members } from "./members.tsx";
import { ObservedFoot, TakeObserved } from "./observed-foot.tsx";
import { observedRunTabs, observedTabs } from "./observed-tabs.tsx";
import { Resizer } from "./resizer.tsx";
import { runTabs, stepTabs, type Tab } from "./tabs.tsx";

interface InspectorProps {
  /** Where it stands; null where it is a page of its own, over the run. */
  readonly dock: Dock | null;
  readonly onClose: () => void;
}

/** Shows the inspector. `onClose` leaves it. */
export function Inspector({ dock, onClose }: InspectorProps): ReactNode {
  return (
    <div className="inspector-dock">
      {dock !== null && <Resizer dock={dock} />}
      <Inspected onClose={onClose} />
    </div>
  );
}

function Inspected({ onClose }: Omit<InspectorProps, "dock">): ReactNode {
  const { contents, selected } = usePage();
  if (selected?.type === "step") {
    const step = contents.byId.get(selected.id);
    if (step?.observed !== undefined) {
      return (
        <ObservedStepInspector key={step.id} step={step} of={step.observed} onClose={onClose} />
      );
    }
    if (step !== undefined) return <StepInspector key={step.id} step={step} onClose={onClose} />;
  }
  if (selected?.type === "many") {
    const fanOut = groupOf(contents, selected.key);
    if (fanOut !== undefined) return <FanOutInspector fanOut={fanOut} onClose={onClose} />;
  }
  return <RunInspector run={contents.run} onClose={onClose} />;
}

function StepInspector({
  step,
  onClose,
}: {
  readonly step: Step;
  readonly onClose: () => void;
}): ReactNode {
  const { contents } = usePage();
  const dialect = useDialect();
  const tabs = stepTabs(step);
  const tab = useTab(tabs);
  const ended = step.completedAt;
  const at = ended === null ? "" : ` at ${clock(instant(ended), "milliseconds")}`;
  return (
    <section className="inspector" aria-label={`Step ${titleOf(step.id)}`}>
      <header className="inspector-head">
        <Back onClose={onClose} />
        <h2>
          <StepGlyph status={step.status} />
          <Name>{titleOf(step.id)}</Name>
          <span className="kind">
            <Foreign>{kindWords(step)}</Foreign>
          </span>
          <span className="inspector-acts">
            <StepActs run={contents.run} step={step} />
          </span>
          <Close onClose={onClose} />
        </h2>
        <p>{`${withWord(standing(step), step.status, dialect)}${at}`}</p>
      </header>
      <Tabs tabs={tabs} current={tab} />
      <StepFoot step={step} tab={tab} />
    </section>
  );
}

/** What is known of a step that was observed: its calls, and how it does in the last 24 hours. */
function ObservedStepInspector(props: {
  readonly step: Step;
  readonly of: ObservedStep;
  readonly onClose: () => void;
}): ReactNode {
  const { step, of, onClose } = props;
  const { contents } = usePage();
  const dialect = useDialect();
  const tabs = observedTabs(of, step.error);
  const tab = useTab(tabs);
  const run = observedRunOf(contents, step);
  const isBeside = contents.run.observed === undefined;
  return (
    <section className="inspector" aria-label={`Step ${titleOf(step.id)}`}>
      <header className="inspector-head">
        <Back onClose={onClose} />
        <h2>
          <StepGlyph status={step.status} />
          <Name>{titleOf(step.id)}</Name>
          <span className="kind">
            {run?.declared !== true || isBeside
              ? "observed step"
              : of.declared
                ? "declared step"
                : "not declared"}
          </span>
          <Close onClose={onClose} />
        </h2>
        <p>
          <SentenceParts parts={partsOf(withWord(observedStanding(of), step.status, dialect))} />
        </p>
      </header>
      <Tabs tabs={tabs} current={tab} />
      {run !== null && <ObservedFoot run={run} step={step} of={of} tab={tab} />}
    </section>
  );
}

function RunInspector({
  run,
  onClose,
}: {
  readonly run: Run;
  readonly onClose: () => void;
}): ReactNode {
  const tabs = run.observed === undefined ? runTabs(run) : observedRunTabs(run.observed);
  const tab = useTab(tabs);
  return (
    <section className="inspector" aria-label="The run">
      <header className="inspector-head">
        <Back onClose={onClose} />
        <h2>
          <Glyph status={run.status} />
          <Name>{run.workflow}</Name>
          <span className="kind">the run as a whole</span>
          <Close onClose={onClose} />
        </h2>
      </header>
      <Tabs tabs={tabs} current={tab} />
      {run.observed === undefined ? (
        <RunFoot run={run} tab={tab} />
      ) : (
        <TakeObserved run={run.observed} subject={run.observed} tab={tab} />
      )}
    </section>
  );
}

function FanOutInspector({
  fanOut,
  onClose,
}: {
  readonly fanOut: FanOut;
  readonly onClose: () => void;
}): ReactNode {
  const { contents, view, spread, toggleSpread } = usePage();
  const isFanOut = contents.fanOuts.has(fanOut.key);
  const isSpread = spread.has(fanOut.key);
  return (
    <section className="inspector inspector-many" aria-label={`Steps ${fanOutName(fanOut)}`}>
      <header className="inspector-head">
        <Back onClose={onClose} />
        <h2>
          <StepGlyph status={fanOutStatus(fanOut.steps)} />
          <Name>{fanOutName(fanOut)}</Name>
          <span className="kind">
            {counted(fanOut.steps.length, isFanOut ? "parallel step" : "step")}
          </span>
          {isFanOut && view === "graph" && (
            <button
              type="button"
              className="plain inspector-acts"
              aria-pressed={isSpread}
              onClick={() => toggleSpread(fanOut.key)}
            >
              {isSpread ? "Gather" : "Spread out"}
            </button>
          )}
          <Close onClose={onClose} />
        </h2>
        <Counts steps={fanOut.steps} />
      </header>
      <Members fanOut={fanOut} />
    </section>
  );
}

function Close({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <button
      type="button"
      className="plain bare close"
      aria-label="Close the inspector"
      title="Close (Esc)"
      onClick={onClose}
    >
      <Icon name="close" />
    </button>
  );
}

/** On the phone the inspector is a page, and this the way back to the run. */
function Back({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <button type="button" className="plain back-to-run" onClick={onClose}>
      <Icon name="back" /> Back
    </button>
  );
}

/** The tab that the address names, else the first. */
function useTab(tabs: readonly Tab[]): Tab | null {
  const wanted = useQuery().get("tab");
  return tabs.find((tab) => tab.id === wanted) ?? tabs[0] ?? null;
}

/** Shows tabs; `Alt 1` to `Alt 6` choose. */
function Tabs({
  tabs,
  current,
}: {
  readonly tabs: readonly Tab[];
  readonly current: Tab | null;
}): ReactNode {
  const panel = useId();
  const choose = (tab: Tab | undefined) => {
    if (tab !== undefined) goQuery({ tab: tab.id }, "replace");
  };
  const at = current === null ? -1 : tabs.indexOf(current);
  useKeys(
    Object.fromEntries(tabs.map((tab, index) => [`Alt+${index + 1}`, () => choose(tab)] as const)),
  );
  if (current === null) return null;
  const turn = (by: number) => choose(tabs[(at + by + tabs.length) % tabs.length]);
  return (
    <>
      <div
        className="tabs"
        role="tablist"
        aria-label="What to show"
        onKeyDown={(event) => {
          if (event.key === "ArrowRight") turn(1);
          else if (event.key === "ArrowLeft") turn(-1);
          else return;
          event.stopPropagation();
        }}
      >
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            aria-selected={tab === current}
            aria-controls={panel}
            tabIndex={tab === current ? 0 : -1}
            ref={(node) => {
              // The focus follows the arrows, where it is among the tabs.
              if (tab === current && node?.parentElement?.contains(document.activeElement))
                node.focus();
            }}
            onClick={() => choose(tab)}
          >
            {tab.name}
            {tab.count !== undefined && <span className="shown">{count(tab.count)}</span>}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <div className="tab" id={panel} role="tabpanel" tabIndex={0}>
        {current.show()}
      </div>
    </>
  );
}
