/** The header of a run that was observed: what it is, why it has its status, and the facts. No act but copy. */

import { type ReactNode, useRef } from "react";
import { instant } from "../model/instants.ts";
import type { ObservedRun } from "../model/observed.ts";
import { told } from "../model/sentence.ts";
import {
  capital,
  count,
  counted,
  duration,
  fullMoment,
  moment,
  statusWord,
} from "../model/words.ts";
import { flowHref, observedHref, runHref } from "../route.ts";
import { Fact, TextFact } from "../run/facts.tsx";
import { SentenceBox } from "../run/sentence.tsx";
import { useShrunk } from "../run/use-shrunk.ts";
import { Copy } from "../ui/copy.tsx";
import { Elapsed } from "../ui/elapsed.tsx";
import { Glyph, hueOf } from "../ui/glyph.tsx";
import { Link } from "../ui/link.tsx";
import { RunLink } from "../ui/run-link.tsx";
import { At, Foreign } from "../ui/text.tsx";

/** Shows the header. It is one line while the view below it is scrolled. */
export function ObservedHeader({ run }: { readonly run: ObservedRun }): ReactNode {
  const header = useRef<HTMLElement>(null);
  const shrunk = useShrunk(header);
  return (
    <header ref={header} className={shrunk ? "run-header observed shrunk" : "run-header observed"}>
      <div className="title-row">
        <nav className="crumbs" aria-label="Where this run belongs">
          <Link href="/flows">Flows</Link>
          <span aria-hidden="true">/</span>
        </nav>
        <h1>
          <Link href={flowHref(run.flow)} title={`The flow ${run.flow}`}>
            <Foreign>{run.name}</Foreign>
          </Link>
        </h1>
        <span className="run-id mono" title={run.run}>
          <Foreign>{run.run}</Foreign>
        </span>
        <Copy text={() => run.run} what="the run's id (Y)" />
        <span className={`status hue-${hueOf(run.status)}`}>
          <Glyph status={run.status} size={18} label="word" />
          {capital(statusWord(run.status))}
        </span>
        <span className="observed-only">
          <span>Observed only: this code runs outside Stepwell</span>
          <Copy
            text={() => new URL(observedHref(run.flow, run.run), location.href).href}
            what="link"
          >
            Copy link
          </Copy>
        </span>
      </div>
      <SentenceBox status={run.status} parts={told(run.why)} isTicking={run.endedAt === null}>
        {run.durableRun !== null && (
          <Link href={runHref(run.durableRun)} className="button deciding">
            Its durable run
          </Link>
        )}
      </SentenceBox>
      <ObservedFacts run={run} />
    </header>
  );
}

function ObservedFacts({ run }: { readonly run: ObservedRun }): ReactNode {
  const { processes, events, eventsDropped } = run;
  return (
    <div className="facts">
      <Instant name="First event" at={run.startedAt} />
      <Instant name="Last event" at={run.lastAt} />
      {run.endedAt === null ? (
        <Fact name="Open for" copied={run.startedAt}>
          <Elapsed from={instant(run.startedAt)} />
        </Fact>
      ) : (
        <Fact name="Took" copied={`${Math.round(run.durationMs ?? 0)} ms`}>
          {duration(run.durationMs ?? 0)}
        </Fact>
      )}
      <Fact name="Processes" copied={processes.join("\n")} hint={processes.join("\n")}>
        {count(processes.length)}
      </Fact>
      <Fact name="Events" copied={String(events)}>
        {eventsDropped === 0
          ? count(events)
          : `${count(events)}, ${count(eventsDropped)} more were only counted`}
      </Fact>
      <TextFact name="Flow" value={`${run.flow}, ${stepsWords(run)}`} />
      {run.durableRun !== null && (
        <span className="fact">
          <span className="fact-name">Durable run</span> <RunLink id={run.durableRun} />
        </span>
      )}
      <TextFact name="Trace" value={run.trace} />
      {Object.entries(run.metadata ?? {}).map(([name, value]) => (
        <TextFact key={`metadata ${name}`} name={name} value={scalar(value)} />
      ))}
    </div>
  );
}

function Instant({ name, at }: { readonly name: string; readonly at: string }): ReactNode {
  const ms = instant(at);
  return (
    <Fact name={name} copied={new Date(ms).toISOString()} hint={fullMoment(ms)}>
      <At ms={ms}>{moment(ms, Date.now())}</At>
    </Fact>
  );
}

function stepsWords(run: ObservedRun): string {
  if (!run.declared) return "not declared";
  const declared = run.steps.filter((step) => step.declared).length;
  return `${counted(declared, "step")} declared`;
}

/** What is one value is a fact; what holds others is in the tab Metadata. */
function scalar(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}
