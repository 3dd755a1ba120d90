// @vitest-environment happy-dom

import { cleanup, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Filter, rowsOf } from "../model/rows.ts";
import type { Run } from "../model/run.ts";
import { fan, iso, run, step } from "../model/testing.ts";
import { pageOf, show } from "../run/testing.tsx";
import type { Page } from "../run/use-page.ts";
import { List } from "./list.tsx";

vi.mock("../live/stream.ts", () => ({
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));

beforeEach(() => {
  // There is no layout here, and a list draws only what has room.
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(900);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1200);
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  history.replaceState(null, "", "/");
});

const ALL: Filter = { text: "", failuresOnly: false };

function open(one: Run, more: Partial<Page> = {}): Page {
  const page = pageOf(one, more);
  const rows = rowsOf(page.contents, page.filter ?? ALL, page.open, page.now);
  show(<List rows={rows} times="offset" compact={false} />, page);
  return page;
}

const LOADED = step("load", 0, 10, {
  output: { rows: Array.from({ length: 20 }, (_, at) => at) },
  logs: [{ at: iso(5), level: "info", message: "read" }],
});

test("Enter opens the result of the selected step in place, at most 12 lines of it", () => {
  open(run([LOADED]), { selected: { type: "step", id: "load" } });
  fireEvent.keyDown(window, { key: "Enter" });
  expect(document.querySelectorAll(".result.open .json-line")).toHaveLength(12);
  expect(screen.getByText("12 more lines in the inspector")).toBeTruthy();
});

test("log lines are counted, and lead to them", () => {
  const page = open(run([LOADED]));
  fireEvent.click(screen.getByRole("button", { name: /1.log line/ }));
  expect(page.select).toHaveBeenCalledWith({ type: "step", id: "load" });
  expect(location.search).toBe("?tab=logs");
});

test("what takes a step back leads to that step", () => {
  const back = step("compensate\u001fload", 20, 30, { kind: "compensate" });
  const page = open(run([LOADED, back], { status: "failed" }));
  expect(screen.getByText("Clean-up, newest first")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "load" }));
  expect(page.select).toHaveBeenCalledWith({ type: "step", id: "load" });
});

test("where nothing is selected no row is, though some rows are about nothing that could be", () => {
  const back = step("compensate\u001fload", 20, 30, { kind: "compensate" });
  open(run([LOADED, back], { status: "failed" }));
  expect(screen.getByRole("grid").getAttribute("aria-activedescendant")).toBeNull();
});

test("a fan-out is one row with its counts, and is opened by its button", () => {
  const page = open(run(fan("charge:", 1000, [3, 4, 5])));
  expect(document.querySelectorAll("tr")).toHaveLength(1);
  expect(document.querySelector("tr")?.textContent).toMatch(/charge:\*×1,000997 ok3 failed/);
  fireEvent.click(screen.getByRole("button", { name: "Open charge:*" }));
  expect(page.toggleOpen).toHaveBeenCalledWith("charge:@1");
});

test("a run that is open says that there may be more steps, one that has ended does not", () => {
  open(run([step("ship", 0, null)]));
  expect(screen.getByText(/appear here when the code reaches them/).textContent).toContain("ship");
  cleanup();
  open(run([LOADED], { status: "completed", endedAt: iso(10) }));
  expect(screen.queryByText(/appear here/)).toBeNull();
});

test("the keys j and k go through the steps", () => {
  const page = open(run([LOADED, step("ship", 20, 30)]), {
    selected: { type: "step", id: "load" },
  });
  fireEvent.keyDown(window, { key: "j", code: "KeyJ" });
  expect(page.select).toHaveBeenCalledWith({ type: "step", id: "ship" }, "replace");
});
