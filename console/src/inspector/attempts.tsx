/** The attempts of a step: in proportion, then each with how it ended. */

import type { ReactNode } from "react";
import { instant, instantOr } from "../model/instants.ts";
import { linesOf } from "../model/json.ts";
import type { Attempt, Step, StepStatus } from "../model/run.ts";
import { spansOf } from "../model/spans.ts";
import { clock, duration } from "../model/words.ts";
import { Lines } from "../ui/json-view.tsx";
import { useNow } from "../ui/now.ts";
import { StepGlyph } from "../ui/step-status.tsx";
import { Foreign } from "../ui/text.tsx";
import { FailureView } from "./failure.tsx";

/** Shows the attempts. */
export function Attempts({ step }: { readonly step: Step }): ReactNode {
  const now = useNow(step.completedAt === null ? 1000 : null);
  const spans = spansOf(step, Math.max(now, lastOf(step)));
  return (
    <>
      <div className="attempt-bar" aria-hidden="true">
        {spans.map((span) => (
          <span
            key={`${span.kind} ${span.from}`}
            className={`span span-${span.kind} ${span.open ? "span-open" : ""}`}
            title={duration(span.to - span.from)}
            style={{ flexGrow: Math.max(span.to - span.from, 0.001) }}
          />
        ))}
      </div>
      <div className="attempt-words" aria-hidden="true">
        {spans.map((span) => (
          <span
            key={`${span.kind} ${span.from}`}
            style={{ flexGrow: Math.max(span.to - span.from, 0.001) }}
          >
            {span.kind === "backoff" ? "backoff " : ""}
            {duration(span.to - span.from)}
          </span>
        ))}
      </div>
      <ol>
        {step.attempts.map((attempt) => (
          <AttemptView
            key={attempt.n}
            attempt={attempt}
            output={attempt.status === "completed" ? step.output : null}
          />
        ))}
      </ol>
    </>
  );
}

function lastOf(step: Step): number {
  const last = step.attempts.at(-1);
  return last === undefined ? 0 : instantOr(last.endedAt, instant(last.startedAt));
}

const STATUSES: Readonly<Record<string, StepStatus>> = {
  running: "running",
  completed: "completed",
  failed: "failed",
  timed_out: "timed_out",
  cancelled: "cancelled",
  lost: "unknown",
};

/** Lines of its result that an attempt shows; the tab Output has all. */
const LINES_MAX = 12;

function AttemptView({
  attempt,
  output,
}: {
  readonly attempt: Attempt;
  readonly output: unknown;
}): ReactNode {
  const from = instant(attempt.startedAt);
  const took = attempt.endedAt === null ? "" : `, ${duration(instant(attempt.endedAt) - from)}`;
  const lost = attempt.status === "lost" ? ", lost with its runner" : "";
  const overlapped = attempt.overlapped ? ", overlapped" : "";
  return (
    <li className="attempt">
      <h3>
        <StepGlyph status={STATUSES[attempt.status] ?? "pending"} />
        <strong>{`Attempt ${attempt.n}`}</strong>
        <span className="kind">{`${clock(from, "milliseconds")}${took}${lost}${overlapped}`}</span>
        <span className="runner">
          <Foreign>{attempt.runner}</Foreign>
        </span>
      </h3>
      {attempt.error !== null && <FailureView failure={attempt.error} />}
      {output !== null && (
        <div className="attempt-output">
          <Lines lines={linesOf(output).slice(0, LINES_MAX)} />
        </div>
      )}
    </li>
  );
}
