/** The bar under the header: which view, what of it, and what only this view needs. */

import { type ReactNode, type RefObject, useId } from "react";
import { allSteps } from "../model/rows.ts";
import { isFailure } from "../model/run.ts";
import { count, counted } from "../model/words.ts";
import { VIEWS, type View } from "../route.ts";
import { Icon } from "../ui/icon.tsx";
import { usePage } from "./use-page.ts";

const WORDS: Readonly<Record<View, string>> = {
  list: "List",
  graph: "Graph",
  timeline: "Timeline",
};

interface ToolbarProps {
  readonly shown: number;
  readonly filterField: RefObject<HTMLInputElement | null>;
  readonly onView: (view: View) => void;
  readonly onFilter: (text: string) => void;
  readonly onFailuresOnly: () => void;
  /** Controls of the view. */
  readonly children?: ReactNode;
}

/** Shows the bar. */
export function Toolbar(props: ToolbarProps): ReactNode {
  const { contents, view, filter } = usePage();
  const label = useId();
  const steps = allSteps(contents);
  const total = steps.length;
  const failures = steps.reduce((sum, step) => sum + (isFailure(step) ? 1 : 0), 0);
  const narrowed = filter.text !== "" || filter.failuresOnly;
  return (
    <div className="toolbar" role="toolbar" aria-label="Views of the run">
      <div className="views">
        {VIEWS.map((one, at) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === view}
            aria-keyshortcuts={`${at + 1}`}
            onClick={() => props.onView(one)}
          >
            <Icon name={one} />
            {WORDS[one]}
            <kbd>{at + 1}</kbd>
          </button>
        ))}
      </div>
      <div className="tools">
        <label className="field filter" id={label}>
          <Icon name="search" />
          <input
            ref={props.filterField}
            value={filter.text}
            placeholder={`Filter ${counted(total, "step")}`}
            aria-label="Filter steps by name"
            spellCheck={false}
            onChange={(event) => props.onFilter(event.target.value)}
          />
          {narrowed ? (
            <span className="shown">{`${count(props.shown)} of ${count(total)}`}</span>
          ) : (
            <kbd>/</kbd>
          )}
        </label>
        <button
          type="button"
          aria-pressed={filter.failuresOnly}
          aria-keyshortcuts="e"
          onClick={props.onFailuresOnly}
        >
          Failures only
          {failures > 0 && <span className="shown">{count(failures)}</span>}
          <kbd>E</kbd>
        </button>
        <div className="view-controls">{props.children}</div>
      </div>
    </div>
  );
}
