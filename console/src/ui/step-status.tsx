/** How a step stands: its sign, and where people chose the words of another system, the word. */

import type { ReactNode } from "react";
import type { Step, StepStatus } from "../model/run.ts";
import { kindWords } from "../model/step-words.ts";
import { useDialect, useStepWords } from "./dialect.ts";
import { Glyph, hueOf } from "./glyph.tsx";

interface StepGlyphProps {
  readonly status: StepStatus;
  /** 16 in rows, 14 in chips. */
  readonly size?: number;
  /** `word` where the status is written beside it. */
  readonly label?: "alone" | "word";
}

/** Shows the sign of a step's status, named in the words that were chosen. */
export function StepGlyph(props: StepGlyphProps): ReactNode {
  return <Glyph {...props} word={useStepWords(props.status).whole} />;
}

/** Success is quiet, and so is what has not happened. */
const QUIET: ReadonlySet<StepStatus> = new Set(["completed", "skipped", "pending", "not_reached"]);

/**
 * Writes the word beside the sign, which names it already; nothing where the words are Stepwell's own, and where what
 * is said of the step begins with it.
 */
export function StepWord({ step }: { readonly step: Step }): ReactNode {
  const dialect = useDialect();
  const { status } = step;
  const { word, whole } = useStepWords(status);
  if (dialect === "stepwell" || kindWords(step).startsWith(word)) return null;
  const hue = QUIET.has(status) ? "" : ` in-hue hue-${hueOf(status)}`;
  return (
    <span className={`step-word${hue}`} title={whole} aria-hidden="true">
      {word}
    </span>
  );
}
