/** What the views of a run share: its contents, what is selected, what is filtered, and how to change that. */

import { createContext, useContext } from "react";
import type { RunContents } from "../model/contents.ts";
import type { Filter, Selection } from "../model/rows.ts";
import type { Move, View } from "../route.ts";

export interface Page {
  readonly contents: RunContents;
  readonly view: View;
  readonly selected: Selection | null;
  readonly filter: Filter;
  /** The fan-outs that are open in place. */
  readonly open: ReadonlySet<string>;
  /** The fan-outs whose members the graph shows. */
  readonly spread: ReadonlySet<string>;
  /** The time up to which what is open is shown. */
  readonly now: number;
  readonly select: (selection: Selection | null, move?: Move) => void;
  readonly toggleOpen: (key: string) => void;
  readonly toggleSpread: (key: string) => void;
}

export const PageContext = createContext<Page | null>(null);

/** Returns what the views share. */
export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === null) throw new Error("a view of a run stands outside of its page");
  return page;
}
