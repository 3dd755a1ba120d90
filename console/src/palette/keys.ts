/** All keys of the console, by the page on which they are. */

import type { Route } from "../route.ts";

/** One line of the dialog of keys. */
export interface KeyLine {
  readonly keys: readonly string[];
  readonly does: string;
}

/** Lines that belong together. */
export interface KeyGroup {
  readonly name: string;
  readonly lines: readonly KeyLine[];
}

const line = (keys: string, does: string): KeyLine => ({ keys: keys.split(", "), does });

const EVERYWHERE: KeyGroup = {
  name: "Everywhere",
  lines: [
    line("⌘K", "Finds runs, steps, acts and pages"),
    line("?", "Shows these keys"),
    line("g r, g e, g n, g f, g a", "Runs, events, runners, flows, access"),
    line("/", "Filter"),
    line("j, k", "Next row, row before; arrows do the same"),
    line("Enter", "Opens what is selected"),
    line("Esc", "Closes what was opened last"),
  ],
};

const RUN: KeyGroup = {
  name: "Views of a run",
  lines: [
    line("1, 2, 3", "List, graph, timeline"),
    line("e", "Failures only"),
    line("n, ⇧N", "Next failure, failure before"),
    line("[, ]", "Previous, next run of the list you came from"),
    line("i", "Opens or closes the inspector"),
    line("Alt 1…6", "Tabs of the inspector"),
    line(".", "Follows what happens now"),
    line("y, ⇧Y", "Copies the run's id, the link"),
  ],
};

const ACTS: KeyGroup = {
  name: "Acts on a run",
  lines: [
    line("s", "What the sentence offers"),
    line("p", "Pauses, resumes"),
    line("r", "Starts it again"),
    line("⇧F", "Forks it from the selected step"),
    line("⇧C", "Cancels it"),
    line("⌘↵", "Does what a dialog asks about"),
  ],
};

const CANVAS: KeyGroup = {
  name: "Graph and timeline",
  lines: [
    line("↑, ↓, ←, →", "Along the edges of the graph, and across its lanes"),
    line("0", "Fits all"),
    line("+, −", "Zooms in, out"),
    line("h, l", "Moves back and on"),
    line("z", "Folds idle time of the timeline"),
    line("c", "Critical path of the timeline"),
  ],
};

const RUNS: KeyGroup = {
  name: "List of runs",
  lines: [
    line("n", "Starts a run"),
    line("f", "Adds a filter"),
    line(".", "Shows new runs"),
    line("x", "Selects a row"),
  ],
};

/** Returns the keys that a page has. */
export function keysOf(page: Route["page"]): readonly KeyGroup[] {
  if (page === "run") return [EVERYWHERE, RUN, ACTS, CANVAS];
  if (page === "observed") return [EVERYWHERE, RUN, CANVAS];
  if (page === "runs") return [EVERYWHERE, RUNS];
  return [EVERYWHERE];
}
