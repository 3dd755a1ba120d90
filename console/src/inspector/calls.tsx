/** The calls of a step that was observed, the latest first; of very many only those that are seen are drawn. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useMemo, useRef } from "react";
import { instant } from "../model/instants.ts";
import { oneLine } from "../model/json.ts";
import type { ObservedAttempt, ObservedStep } from "../model/observed.ts";
import type { StepStatus } from "../model/run.ts";
import { clock, count, counted, duration } from "../model/words.ts";
import { Elapsed } from "../ui/elapsed.tsx";
import { hueOf } from "../ui/glyph.tsx";
import { StepGlyph } from "../ui/step-status.tsx";
import { At, Foreign, Pieces } from "../ui/text.tsx";
import { FailureView } from "./failure.tsx";

const CALL_PX = 62;
const METADATA_CHARS = 160;

/** Shows the calls. */
export function Calls({ step }: { readonly step: ObservedStep }): ReactNode {
  const calls = useMemo(() => step.attempts.toReversed(), [step.attempts]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: calls.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => calls[index]?.n ?? index,
    estimateSize: () => CALL_PX,
    overscan: 6,
  });
  const left = step.attemptsTotal - calls.length;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <div className="calls" ref={scroller} tabIndex={0}>
      <ol style={{ height: virtual.getTotalSize() }} aria-label="Calls, the latest first">
        {virtual.getVirtualItems().map((item) => {
          const call = calls[item.index];
          if (call === undefined) return null;
          return (
            <li
              key={item.key}
              data-index={item.index}
              ref={virtual.measureElement}
              className="call-at"
              aria-setsize={calls.length}
              aria-posinset={item.index + 1}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <Call call={call} status={statusOf(call, step)} />
            </li>
          );
        })}
      </ol>
      {left > 0 && (
        <p className="calls-left">
          {`The latest ${count(calls.length)} of ${counted(step.attemptsTotal, "call")}.`}
        </p>
      )}
    </div>
  );
}

/** A call that is open in a stuck step may be the one that is. */
function statusOf(call: ObservedAttempt, step: ObservedStep): StepStatus {
  if (call.status === "success") return "completed";
  if (call.status === "error") return "failed";
  return step.status === "stuck" ? "stuck" : "running";
}

function Call(props: { readonly call: ObservedAttempt; readonly status: StepStatus }): ReactNode {
  const { call, status } = props;
  const at = call.startedAt ?? call.endedAt;
  return (
    <div className="attempt call">
      <h3>
        <StepGlyph status={status} />
        <strong>{`Call ${count(call.n)}`}</strong>
        <span className="kind">
          {at !== null && <At ms={instant(at)}>{clock(instant(at), "milliseconds")}</At>}
          {call.process !== null && (
            <>
              , <Foreign>{call.process}</Foreign>
            </>
          )}
        </span>
        <span className={status === "completed" ? "runner" : `runner hue hue-${hueOf(status)}`}>
          <CallTook call={call} />
        </span>
      </h3>
      {call.error !== null && <FailureView failure={call.error} />}
      {call.metadata !== null && (
        <p className="call-metadata">
          <Pieces pieces={oneLine(call.metadata, METADATA_CHARS)} />
        </p>
      )}
      {call.metadataDropped && (
        <p className="call-metadata quiet">Its metadata was over 16 KB and was not kept.</p>
      )}
    </div>
  );
}

/** How long a call took; while it is open, how long it has. What was told without a begin has no length. */
function CallTook({ call }: { readonly call: ObservedAttempt }): ReactNode {
  if (call.status === "running" && call.startedAt !== null) {
    return <Elapsed from={instant(call.startedAt)} />;
  }
  return call.durationMs === null ? "–" : duration(call.durationMs);
}
