/** How a step did: its counts in words, and as a bar in their proportion. */

import { Fragment, type ReactNode } from "react";
import { stepWord } from "../model/dialects.ts";
import { countsWords, type StepCounts } from "../model/flows.ts";
import { count } from "../model/words.ts";
import { useDialect } from "./dialect.ts";
import { Glyph, hueOf } from "./glyph.tsx";

/** Shows the counts as words: `312 ok · 3 failed`. */
export function StepCountsWords({ counts }: { readonly counts: StepCounts }): ReactNode {
  const words = countsWords(counts, useDialect());
  if (words.length === 0) return <span className="quiet">not called</span>;
  return (
    <span className="counts step-counts">
      {words.map(({ status, text }, at) => (
        <Fragment key={status}>
          {at > 0 && <span aria-hidden="true">·</span>}
          <span className={LOUD.has(status) ? `in-hue hue-${hueOf(status)}` : ""}>{text}</span>
        </Fragment>
      ))}
    </span>
  );
}

/** Success is quiet, and so is what never came to be. */
const LOUD: ReadonlySet<string> = new Set(["failed", "missing"]);

/** Shows the counts as signs of what happened, each with its number: there is little room on a node. */
export function StepCountsMarks({ counts }: { readonly counts: StepCounts }): ReactNode {
  const dialect = useDialect();
  const words = countsWords(counts, dialect);
  if (words.length === 0) return <span className="quiet">not called</span>;
  return (
    <span className="counts step-counts marks">
      {words.map(({ status, n, text }) => (
        <span
          key={status}
          className={LOUD.has(status) ? `in-hue hue-${hueOf(status)}` : ""}
          title={text}
        >
          <Glyph status={status} size={14} label="word" />
          {count(n)}
          <span className="hidden">{` ${stepWord(status, dialect)}`}</span>
        </span>
      ))}
    </span>
  );
}

/** Shows the counts as a bar, with the words below it. */
export function StepCountsBar({ counts }: { readonly counts: StepCounts }): ReactNode {
  const { ok, failed, missing, notReached, skipped } = counts;
  const parts = [
    ["ok", ok],
    ["failed", failed],
    ["missing", missing],
    ["rest", notReached + skipped],
  ] as const;
  return (
    <span className="counts-of-step">
      <span className="counts-bar" aria-hidden="true">
        {parts.map(
          ([name, n]) => n > 0 && <i key={name} className={name} style={{ flexGrow: n }} />,
        )}
      </span>
      <StepCountsWords counts={counts} />
    </span>
  );
}
