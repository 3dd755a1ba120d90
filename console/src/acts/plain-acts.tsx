/** The acts that need nothing but a reason: cancel, pause, resume, retry now, terminate. */

import type { ReactNode } from "react";
import { operate, type PlainAct } from "../api/act.ts";
import { actLine } from "../model/cli.ts";
import { instant } from "../model/instants.ts";
import { inFlight, isPaused } from "../model/offers.ts";
import { isCleanUp, type Run, type Step } from "../model/run.ts";
import { clock, elapsed, statusWord } from "../model/words.ts";
import { useNow } from "../ui/now.ts";
import { Foreign, Name } from "../ui/text.tsx";
import { ActDialog } from "./act-dialog.tsx";
import { idsOf, RunName, StepNames } from "./words.tsx";

interface PlainActProps {
  readonly run: Run;
  readonly act: PlainAct;
  readonly over: string | null;
  readonly onClose: () => void;
}

/** Shows one of these acts. */
export function PlainActDialog({ run, act, over, onClose }: PlainActProps): ReactNode {
  const { title, verb, leave } = WORDS[act](run);
  return (
    <ActDialog
      deed={act}
      title={
        <>
          {title} <RunName run={run} />
        </>
      }
      lead={<Lead run={run} act={act} />}
      verb={verb}
      leave={leave}
      over={over}
      typed={act === "terminate" ? run.workflow : null}
      line={(signed) => actLine(act, run.id, signed)}
      perform={async (signed, signal) => {
        await operate(run.id, act, signed, signal);
        return null;
      }}
      onClose={onClose}
    >
      {act === "cancel" && <CancelNote run={run} />}
      {act === "terminate" && <TerminateNote run={run} />}
    </ActDialog>
  );
}

interface Words {
  readonly title: string;
  readonly verb: string;
  readonly leave: string;
}

const WORDS: Readonly<Record<PlainAct, (run: Run) => Words>> = {
  cancel: () => ({ title: "Cancel", verb: "Cancel the run", leave: "Keep it running" }),
  pause: () => ({ title: "Pause", verb: "Pause the run", leave: "Keep it running" }),
  resume: () => ({ title: "Resume", verb: "Resume the run", leave: "Keep it paused" }),
  terminate: () => ({ title: "Terminate", verb: "Terminate the run", leave: "Leave it" }),
  retry: (run) =>
    run.status === "blocked"
      ? { title: "Try again", verb: "Try again", leave: "Leave it blocked" }
      : { title: "Retry now", verb: "Retry now", leave: "Let it wait" },
};

function Lead({ run, act }: { readonly run: Run; readonly act: PlainAct }): ReactNode {
  switch (act) {
    case "cancel":
      return <CancelLead run={run} />;
    case "pause":
      return <PauseLead run={run} />;
    case "resume":
      return <ResumeLead run={run} />;
    case "retry":
      return <RetryLead run={run} />;
    case "terminate":
      return <TerminateLead run={run} />;
  }
}

const running = (run: Run) => inFlight(run).filter((step) => step.status === "running");
const are = (steps: readonly Step[]) => (steps.length === 1 ? "is" : "are");

function CancelLead({ run }: { readonly run: Run }): ReactNode {
  const busy = running(run);
  const others = inFlight(run).filter((step) => step.status !== "running");
  return (
    <>
      {busy.length > 0 && (
        <>
          <StepNames ids={idsOf(busy)} /> {are(busy)} running and{" "}
          {busy.length === 1 ? "gets" : "get"} time to return.{" "}
        </>
      )}
      {others.length > 0 && (
        <>
          <StepNames ids={idsOf(others)} /> {are(others)} cancelled at once.{" "}
        </>
      )}
      {busy.length + others.length === 0 && "Nothing is in flight. "}
      The run then ends as cancelled, its children with it.
    </>
  );
}

function CancelNote({ run }: { readonly run: Run }): ReactNode {
  const done = run.steps.filter((step) => step.kind === "run" && step.status === "completed");
  if (done.length === 0) return null;
  return (
    <p className="act-note">
      <strong>Completed steps are compensated only if the workflow says so for a cancel.</strong>{" "}
      Completed so far: <StepNames ids={idsOf(done)} />.
    </p>
  );
}

function PauseLead({ run }: { readonly run: Run }): ReactNode {
  const busy = running(run);
  return (
    <>
      {busy.length > 0 ? (
        <>
          What runs now will end first: <StepNames ids={idsOf(busy)} />.{" "}
        </>
      ) : (
        "No function of it begins until it is resumed. "
      )}
      Events, timers and deadlines go on and take effect at resume.
    </>
  );
}

function ResumeLead({ run }: { readonly run: Run }): ReactNode {
  const { paused } = run;
  if (!isPaused(run) || !paused) return <>The run goes on where it was held back.</>;
  return (
    <>
      The run goes on. It was paused
      {paused.by !== null && (
        <>
          {" "}
          by <Foreign>{paused.by}</Foreign>
        </>
      )}{" "}
      at {clock(instant(paused.at))}
      {paused.reason !== null && (
        <>
          : “<Foreign>{paused.reason}</Foreign>”
        </>
      )}
      .
    </>
  );
}

function RetryLead({ run }: { readonly run: Run }): ReactNode {
  const now = useNow(1000);
  if (run.status === "blocked") {
    return (
      <>The run is given to a runner again, and the count of runners that it crashed begins anew.</>
    );
  }
  const waiting = run.steps.filter((step) => step.status === "retrying" && !isCleanUp(step));
  if (waiting.length === 0) return <>The handler runs again now, not after its backoff.</>;
  const first = waiting[0];
  const at = first?.nextAt ?? null;
  if (first === undefined || waiting.length > 1 || at === null) {
    return (
      <>
        <StepNames ids={idsOf(waiting)} /> are tried again now, not after their backoffs.
      </>
    );
  }
  const left = Math.max(0, instant(at) - now);
  return (
    <>
      <Name>{first.id}</Name> is tried again now, which saves {elapsed(left)}.
    </>
  );
}

function TerminateLead({ run }: { readonly run: Run }): ReactNode {
  const busy = running(run);
  const inCleanUp = run.cleanUp !== null || run.status === "compensating";
  return (
    <>
      {inCleanUp
        ? `Stops clean-up; the run ends as ${statusWord(run.cleanUp?.status ?? "failed")}. `
        : "Ends the run as cancelled at once, without clean-up. "}
      {busy.length > 0 && (
        <>
          <StepNames ids={idsOf(busy)} /> {are(busy)} not awaited.{" "}
        </>
      )}
      {!inCleanUp && "Its children are cancelled. "}
      This cannot be taken back.
    </>
  );
}

function TerminateNote({ run }: { readonly run: Run }): ReactNode {
  const left = (run.cleanUp?.compensations ?? []).filter((one) => one.status !== "completed");
  if (left.length === 0) return null;
  return (
    <p className="act-note">
      <StepNames ids={left.map((one) => one.step)} /> will not be compensated.
    </p>
  );
}
