/** Shows parts of a run's page in tests, with what its views share. */

import { type RenderResult, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { contentsOf } from "../model/contents.ts";
import type { Run } from "../model/run.ts";
import { type Page, PageContext } from "./use-page.ts";

/** What the views of a run share, in a test: nothing is selected, filtered or open. */
export function pageOf(run: Run, more: Partial<Page> = {}): Page {
  return {
    contents: contentsOf(run),
    view: "list",
    selected: null,
    filter: { text: "", failuresOnly: false },
    open: new Set(),
    spread: new Set(),
    now: Number.POSITIVE_INFINITY,
    select: vi.fn(),
    toggleOpen: vi.fn(),
    toggleSpread: vi.fn(),
    ...more,
  };
}

/** Shows a part of a page. */
export function show(part: ReactNode, page: Page): RenderResult {
  return render(<PageContext value={page}>{part}</PageContext>);
}
