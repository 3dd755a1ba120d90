/** The members of a fan-out: a cell for each, in order, and a list of them, failed first. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { type MouseEvent, memo, type ReactNode, useMemo, useRef, useState } from "react";
import { StepNote, Took } from "../list/row.tsx";
import { cellsOf } from "../model/fan-out.ts";
import { oneLine } from "../model/json.ts";
import { type FanOut, failedFirst } from "../model/parallel.ts";
import { passes } from "../model/rows.ts";
import { isFailure, nameOf, type Step, stepHasEnded, titleOf } from "../model/run.ts";
import { count, counted } from "../model/words.ts";
import { usePage } from "../run/use-page.ts";
import { hueOf } from "../ui/glyph.tsx";
import { Icon } from "../ui/icon.tsx";
import { StepGlyph } from "../ui/step-status.tsx";
import { Foreign, Name, Pieces } from "../ui/text.tsx";

const ROW_PX = 32;

/** Shows the members. */
export function Members({ fanOut }: { readonly fanOut: FanOut }): ReactNode {
  const [text, setText] = useState("");
  const shown = useMemo(
    () => failedFirst(fanOut.steps).filter((step) => passes(step, { text, failuresOnly: false })),
    [fanOut, text],
  );
  return (
    <>
      <Cells steps={fanOut.steps} />
      <div className="member-panel">
        <label className="field json-search">
          <Icon name="search" />
          <input
            value={text}
            placeholder={`Filter ${counted(fanOut.steps.length, "step")}`}
            aria-label="Filter these steps by name"
            spellCheck={false}
            onChange={(event) => setText(event.target.value)}
          />
          <span className="shown">{text === "" ? "failed first" : count(shown.length)}</span>
        </label>
        <MemberList steps={shown} />
      </div>
    </>
  );
}

/** One cell for each step, in the order in which they ran: where in the batch it broke is seen at once. */
const Cells = memo(function Cells({ steps }: { readonly steps: readonly Step[] }): ReactNode {
  const { select } = usePage();
  const cells = useMemo(() => cellsOf(steps), [steps]);
  const click = (event: MouseEvent) => {
    const id = event.target instanceof HTMLElement ? event.target.dataset.step : undefined;
    if (id !== undefined) select({ type: "step", id });
  };
  return (
    <div className="cells" aria-hidden="true" onClick={click}>
      {cells.map(({ worst }) => (
        <i
          key={worst.id}
          data-step={worst.id}
          title={nameOf(worst.id)}
          className={`hue-${hueOf(worst.status)} ${stepHasEnded(worst) ? "" : "open-cell"}`}
        />
      ))}
    </div>
  );
});

function MemberList({ steps }: { readonly steps: readonly Step[] }): ReactNode {
  const { select } = usePage();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: steps.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
  });
  return (
    <div className="members" ref={scroller}>
      <ol style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const step = steps[item.index];
          if (step === undefined) return null;
          return (
            <li
              key={step.id}
              aria-setsize={steps.length}
              aria-posinset={item.index + 1}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <button type="button" onClick={() => select({ type: "step", id: step.id })}>
                <StepGlyph status={step.status} />
                <Name>{titleOf(step.id)}</Name>
                <About step={step} />
                <Took step={step} />
              </button>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function About({ step }: { readonly step: Step }): ReactNode {
  if (isFailure(step) && step.error !== null) {
    return (
      <span className="about hue-red">
        <Foreign>{`${step.error.name}: ${step.error.message}`}</Foreign>
      </span>
    );
  }
  return (
    <span className="about">
      {step.output === null ? (
        <StepNote step={step} />
      ) : (
        <Pieces pieces={oneLine(step.output, 60)} />
      )}
    </span>
  );
}
