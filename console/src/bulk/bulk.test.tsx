// @vitest-environment happy-dom

import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { acts, press, problem, serve, show, type } from "../acts/testing.tsx";
import { filtersOf } from "../model/filters.ts";
import { jobOf, meAs, rowOf } from "../model/testing.ts";
import { useQuery } from "../route.ts";
import { BulkDialogs } from "./bulk-dialogs.tsx";
import { BulkMenu } from "./bulk-menu.tsx";

vi.mock("../live/stream.ts", () => ({
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
}));

beforeEach(() => {
  localStorage.clear();
  // Browsers have popovers; this document has none.
  HTMLElement.prototype.hidePopover = () => undefined;
  localStorage.setItem("stepwell.by", "ann");
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  history.replaceState(null, "", "/");
});

function Page(): ReactNode {
  const query = useQuery();
  const filters = filtersOf(query);
  return (
    <>
      <BulkMenu filters={filters} />
      <BulkDialogs act={query.get("bulk")} job={query.get("job")} filters={filters} />
    </>
  );
}

const DRY = {
  dryRun: true,
  matched: { runs: 2, orMore: false },
  byStatus: { running: { runs: 2, orMore: false } },
  sample: [rowOf({ workflow: "<b>checkout</b>" })],
};

function open(query: string, job: () => object = () => jobOf(), me = meAs("operator")) {
  const asked = serve(({ path, body }) => {
    if (path === "/api/v1/bulk" && body === null) return Response.json({ jobs: [job()] });
    if (path === "/api/v1/bulk" && JSON.parse(body ?? "").dryRun) return Response.json(DRY);
    return Response.json(job(), { status: body === null ? 200 : 201 });
  });
  history.replaceState(null, "", `/runs${query}`);
  show(<Page />, me);
  return asked;
}

const posted = (asked: ReturnType<typeof open>) =>
  acts(asked).map(({ path, body }) => [path, JSON.parse(body ?? "")]);

test("the runs are counted first, and acted on with who and why", async () => {
  const asked = open("?app=shop&status=running&bulk=cancel", () =>
    jobOf({ matched: 2, done: 2, reason: "flood" }),
  );
  await screen.findByText(/^2 runs match: 2 running\. What is running gets time/);
  expect(screen.getByText("<b>checkout</b>")).toBeTruthy();
  press(/^Cancel them/);
  expect(await screen.findByText("The reason needs 3 characters or more")).toBeTruthy();
  type("Reason", "flood");
  press(/^Cancel them/);
  await screen.findByText("Done with 2 runs.");
  expect(location.search).toBe("?app=shop&status=running&job=blk_1");
  const filter = { app: "shop", status: "running" };
  const [dry, real] = posted(asked);
  expect(dry).toEqual(["/api/v1/bulk", { act: "cancel", filter, dryRun: true }]);
  expect(real).toEqual([
    "/api/v1/bulk",
    { act: "cancel", filter, by: "ann", reason: "flood", key: expect.stringMatching(/^console-/) },
  ]);
});

test("what the act is not for is said before it is begun, and which runs these are", async () => {
  serve(() =>
    Response.json({
      ...DRY,
      matched: { runs: 3, orMore: false },
      byStatus: { running: { runs: 2, orMore: false }, failed: { runs: 1, orMore: false } },
    }),
  );
  history.replaceState(null, "", "/runs?status=running,failed&from=7d&bulk=pause");
  show(<Page />, meAs("operator"));
  await screen.findByText("1 of them has ended and is refused.");
  expect(screen.getByText("running or failed")).toBeTruthy();
  expect(screen.getByText("last 7 days")).toBeTruthy();
  expect(screen.getByText("and 2 others")).toBeTruthy();
});

test("nothing is asked for who may not act, or without a filter; both are told why", async () => {
  const role = "Your key has the role viewer; acting on many runs needs operator.";
  for (const [query, why, me] of [
    ["?app=shop&bulk=cancel", role, "viewer"],
    ["?bulk=cancel", /^It needs a filter/, "operator"],
    ["?job=blk_1", role, "viewer"],
    ["?job=all", role, "viewer"],
  ] as const) {
    const asked = open(query, undefined, meAs(me));
    expect(within(await screen.findByRole("dialog")).getByText(why)).toBeTruthy();
    expect(asked).toEqual([]);
    cleanup();
  }
});

test("what cannot be taken back is typed with its number", async () => {
  const asked = open("?app=shop&bulk=delete");
  await screen.findByText(/^2 runs match/);
  type("Reason", "old");
  press(/^Delete them/);
  expect(await screen.findByText("This is not its name")).toBeTruthy();
  type(/^Type/, "delete 2");
  press(/^Delete them/);
  await screen.findByText(/^Done: no run/);
  expect(posted(asked).filter(([, body]) => !body.dryRun)).toHaveLength(1);
});

test("nothing is begun before the runs are counted", async () => {
  const asked = serve(() => problem(503, "SW1008", "the server is busy"));
  history.replaceState(null, "", "/runs?app=shop&bulk=pause");
  show(<Page />, meAs("operator"));
  await screen.findByText("Could not count the runs: the server is busy.");
  type("Reason", "flood");
  press(/^Pause them/);
  expect(acts(asked).every(({ body }) => JSON.parse(body ?? "").dryRun)).toBe(true);
});

test("an act is followed to its end, with why some were refused", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  let job = jobOf({ state: "running", matched: 86, done: 40 });
  open("?job=blk_1", () => job);
  await screen.findByText("40 of 86 runs: 40 done.");
  expect(screen.getByRole("progressbar").getAttribute("value")).toBe("40");
  const refusal = {
    code: "SW2005",
    runs: 2,
    sample: "run_9",
    detail: "<i>`cancel`</i> of run_9: it has ended",
  };
  job = jobOf({ state: "done", matched: 86, done: 84, refused: 2, refusals: [refusal] });
  await act(() => vi.advanceTimersByTimeAsync(1500));
  await screen.findByText("Done with 86 runs: 84 done and 2 refused.");
  const link = screen.getByRole("link", { name: "run_9" });
  expect(link.getAttribute("href")).toBe("/runs/run_9");
  expect(link.parentElement?.textContent).toBe(
    "One of them: <i>`cancel`</i> of run_9: it has ended",
  );
  expect(screen.queryByRole("button", { name: "Stop it here" })).toBe(null);
  expect(screen.queryByRole("progressbar")).toBe(null);
});

test("an act is stopped, and left to go on by closing", async () => {
  let job = jobOf({ state: "running", matched: 86, done: 40 });
  const asked = open("?app=shop&job=blk_1", () => job);
  await screen.findByText("40 of 86 runs: 40 done.");
  job = jobOf({ state: "stopped", matched: 86, done: 41, why: "ann stopped it" });
  screen.getByRole("button", { name: "Stop it here" }).focus();
  press("Stop it here");
  await screen.findByText("Stopped after 41 of 86 runs: 41 done.");
  // The button that had the focus is gone: the focus stays in the dialog.
  await waitFor(() => expect(document.activeElement?.textContent).toBe("Close"));
  expect(posted(asked)).toEqual([["/api/v1/bulk/blk_1/stop", {}]]);
  press("Close");
  await waitFor(() => expect(location.search).toBe("?app=shop"));
});

test("what is not known any more is not asked for again and again", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const asked = serve(() => problem(404, "SW2015", "no act blk_1 is known"));
  history.replaceState(null, "", "/runs?job=blk_1");
  show(<Page />, meAs("operator"));
  await screen.findByText("Could not read it: no act blk_1 is known.");
  await act(() => vi.advanceTimersByTimeAsync(5000));
  expect(asked).toHaveLength(1);
});

test("an act that cannot be read for a while is followed again", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  let answer = () => Response.json(jobOf({ state: "running", matched: 86, done: 40 }));
  serve(() => answer());
  history.replaceState(null, "", "/runs?job=blk_1");
  show(<Page />, meAs("operator"));
  await screen.findByText("40 of 86 runs: 40 done.");
  answer = () => problem(503, "SW1008", "the server is busy");
  await act(() => vi.advanceTimersByTimeAsync(1500));
  await screen.findByText("Could not read it: the server is busy.");
  expect(screen.getByText("40 of 86 runs: 40 done.")).toBeTruthy();
  answer = () => Response.json(jobOf({ matched: 86, done: 86 }));
  await act(() => vi.advanceTimersByTimeAsync(1500));
  await screen.findByText("Done with 86 runs.");
  expect(screen.queryByText(/^Could not read/)).toBe(null);
});

test("acts until now are listed, and lead to theirs", async () => {
  open("?job=all", () => jobOf({ matched: 3, done: 3 }));
  fireEvent.click(await screen.findByRole("button", { name: /^Cancel 3/ }));
  expect(location.search).toBe("?job=blk_1");
});

test("the menu is off without a filter, and for who may not act", () => {
  open("");
  const item = (name: string) => screen.getByRole("menuitem", { name, hidden: true });
  expect(item("Cancel all that match").title).toContain("It needs a filter");
  expect(item("Export all that match").getAttribute("aria-disabled")).toBe(null);
  cleanup();
  open("?app=shop", undefined, meAs("client"));
  expect(item("Cancel all that match").title).toBe(
    "Your key has the role client; acting on many runs needs operator.",
  );
  expect(item("Export all that match").title).toContain("exporting needs operator");
  cleanup();
  open("?app=shop");
  fireEvent.click(item("Cancel all that match"));
  expect(location.search).toBe("?app=shop&bulk=cancel");
});
