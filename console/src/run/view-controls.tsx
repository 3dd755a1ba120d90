/** The controls at the right of the bar: what only the current view needs. */

import type { ReactNode } from "react";
import type { Times } from "../list/list.tsx";
import { goQuery, useQuery, type View } from "../route.ts";
import type { Keys } from "../ui/keys.ts";
import { useNarrow } from "../ui/narrow.ts";
import { useStored } from "../ui/stored.ts";
import { usePage } from "./use-page.ts";

type Density = "comfortable" | "compact";

/** How the views look. What changes the facts that are seen stands in the address, the rest in the browser. */
export interface Looks {
  readonly times: Times;
  readonly setTimes: (times: Times) => void;
  readonly density: Density;
  readonly setDensity: (density: Density) => void;
  readonly folding: boolean;
  readonly setFolding: (folding: boolean) => void;
  readonly withPath: boolean;
  readonly setWithPath: (withPath: boolean) => void;
}

/** Returns how the views look, and how to change it. */
export function useLooks(): Looks {
  const query = useQuery();
  const [times, setTimes] = useStored<Times>("times", ["offset", "clock"], "offset");
  const [density, setDensity] = useStored<Density>(
    "density",
    ["comfortable", "compact"],
    "comfortable",
  );
  return {
    times,
    setTimes,
    density,
    setDensity,
    folding: query.get("fold") !== "0",
    setFolding: (folding) => goQuery({ fold: folding ? null : "0" }),
    withPath: query.get("path") === "1",
    setWithPath: (withPath) => goQuery({ path: withPath ? "1" : null }),
  };
}

/** The keys of the timeline's switches. */
export function timelineKeys(looks: Looks): Keys {
  return {
    z: () => looks.setFolding(!looks.folding),
    c: () => looks.setWithPath(!looks.withPath),
  };
}

interface ControlsProps {
  readonly view: View;
  readonly looks: Looks;
  readonly onHelp: () => void;
  /** Takes the element in which a view puts controls of its own. */
  readonly onSlot: (slot: HTMLElement | null) => void;
}

/** Shows the controls. */
export function ViewControls({ view, looks, onHelp, onSlot }: ControlsProps): ReactNode {
  const { select } = usePage();
  const narrow = useNarrow();
  return (
    <>
      {view === "list" && !narrow && <ListControls looks={looks} />}
      {view === "timeline" && <TimelineControls looks={looks} />}
      {view !== "list" && <div className="view-slot" ref={onSlot} />}
      {narrow ? (
        <button type="button" onClick={() => select({ type: "run" })}>
          The run
        </button>
      ) : (
        <button type="button" className="plain" onClick={onHelp}>
          <span className="words">Keys</span> <kbd>?</kbd>
        </button>
      )}
    </>
  );
}

const TIMES: readonly (readonly [Times, string])[] = [
  ["offset", "+ since start"],
  ["clock", "Clock"],
];

function ListControls({ looks }: { readonly looks: Looks }): ReactNode {
  const { times, density } = looks;
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in */}
      <div className="choice" role="group" aria-label="Times">
        {TIMES.map(([one, words]) => (
          <button
            key={one}
            type="button"
            aria-pressed={times === one}
            onClick={() => looks.setTimes(one)}
          >
            {words}
          </button>
        ))}
      </div>
      <button
        type="button"
        className="plain"
        aria-pressed={density === "compact"}
        onClick={() => looks.setDensity(density === "compact" ? "comfortable" : "compact")}
      >
        Compact
      </button>
    </>
  );
}

function TimelineControls({ looks }: { readonly looks: Looks }): ReactNode {
  return (
    <>
      <button
        type="button"
        aria-pressed={looks.folding}
        aria-keyshortcuts="z"
        onClick={() => looks.setFolding(!looks.folding)}
      >
        Fold gaps <kbd>Z</kbd>
      </button>
      <button
        type="button"
        aria-pressed={looks.withPath}
        aria-keyshortcuts="c"
        onClick={() => looks.setWithPath(!looks.withPath)}
      >
        Critical path <kbd>C</kbd>
      </button>
      <button
        type="button"
        className="plain"
        aria-keyshortcuts="0"
        onClick={() => goQuery({ from: null, to: null }, "replace")}
      >
        Fit <kbd>0</kbd>
      </button>
    </>
  );
}
