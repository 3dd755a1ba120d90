/** An error as it was recorded, with the frames of the owner's code, and what caused it. */

import { type ReactNode, useState } from "react";
import type { Failure } from "../model/run.ts";
import { othersWords, stackOf } from "../model/stack.ts";
import { Foreign } from "../ui/text.tsx";

/** Causes may be nested without an end; more are not shown, but are in Raw. */
const CAUSES_MAX = 8;

interface FailureProps {
  readonly failure: Failure;
  /** Which cause of a cause it is. */
  readonly depth?: number;
}

/** Shows an error. */
export function FailureView({ failure, depth = 0 }: FailureProps): ReactNode {
  const words = failure.message === "" ? failure.name : `${failure.name}: ${failure.message}`;
  return (
    <div className="failure hue-red">
      <h3>
        <Foreign>{depth === 0 ? words : `Caused by ${words}`}</Foreign>
      </h3>
      {failure.stack && <Frames stack={failure.stack} />}
      {failure.cause && depth < CAUSES_MAX && (
        <FailureView failure={failure.cause} depth={depth + 1} />
      )}
    </div>
  );
}

function Frames({ stack }: { readonly stack: string }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const { own, others } = stackOf(stack);
  return (
    <ol className="frames">
      {own.map((frame) => (
        <li key={frame}>
          <Foreign>{frame}</Foreign>
        </li>
      ))}
      {others.length > 0 && (
        <li>
          <button
            type="button"
            className="plain"
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            {othersWords(others)}
          </button>
        </li>
      )}
      {isOpen &&
        others.map((frame, at) => (
          // The same frame may stand there more than once.
          <li className="others" key={`${at} ${frame}`}>
            <Foreign>{frame}</Foreign>
          </li>
        ))}
    </ol>
  );
}
