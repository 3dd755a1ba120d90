/** The places of the console: each page, view and dialog by its address, or by what opens it. */

import { IMPORT, RUNS } from "../workshop/observed.ts";
import type { SceneName } from "../workshop/story.ts";
import type { Tab } from "./tab.ts";

/** A place, and how to get there. */
export interface Place {
  readonly name: string;
  readonly path: () => string;
  /** What is done there to see it. */
  readonly open?: (tab: Tab) => Promise<void>;
}

const at = (name: string, path: () => string, open?: Place["open"]): Place => ({
  name,
  path,
  ...(open && { open }),
});

/** The act's dialog is open. */
const dialog: NonNullable<Place["open"]> = async ({ page }) => {
  await page.getByRole("dialog").waitFor();
};

const inspector: NonNullable<Place["open"]> = async ({ page }) => {
  await page.getByRole("tabpanel").waitFor();
};

/** The graph of a flow stands, and its runs are there. */
const drawn: NonNullable<Place["open"]> = async ({ page }) => {
  await page.locator(".flow-graph .node").first().waitFor();
  await page.getByRole("grid").waitFor();
};

const observed = (name: keyof typeof RUNS, rest: string): string =>
  `/flows/${IMPORT}/runs/${encodeURIComponent(RUNS[name])}${rest}`;

/** The runs that an act on many would reach are counted. */
const counted: NonNullable<Place["open"]> = async ({ page }) => {
  await page
    .getByRole("dialog")
    .getByText(/^[\d,+]+ runs match/)
    .waitFor();
};

const jobs: NonNullable<Place["open"]> = async ({ page }) => {
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /^Delete / })
    .first()
    .waitFor();
};

const job: NonNullable<Place["open"]> = async ({ page }) => {
  const dialog = page.getByRole("dialog");
  await dialog
    .getByRole("button", { name: /^Delete / })
    .first()
    .click();
  await dialog.getByText(/^One of them/).waitFor();
};

const key = (name: string, open?: Place["open"]): NonNullable<Place["open"]> => {
  return async (tab) => {
    await tab.page.keyboard.press(name);
    await open?.(tab);
  };
};

/** Pages, views and tabs of the inspector; and dialogs, with what else floats. */
export interface Places {
  readonly pages: readonly Place[];
  readonly dialogs: readonly Place[];
}

/** Lists the places; `runOf` knows the run of each scene. */
export function places(runOf: (scene: SceneName) => string): Places {
  const run = (scene: SceneName, rest = "") => `/runs/${runOf(scene)}${rest}`;
  return { pages: pagesOf(run), dialogs: dialogsOf(run) };
}

type PathOf = (scene: SceneName, rest?: string) => string;

const pagesOf = (run: PathOf): readonly Place[] => [
  at("runs", () => "/runs"),
  at("runs-filtered", () => "/runs?app=shop&status=failed,blocked"),
  at("runs-no-match", () => "/runs?app=shop&wf=nobody-has-this&status=failed"),
  at("run-list", () => run("retried", "/list?step=charge"), inspector),
  at("run-list-waiting", () => run("waiting", "/list")),
  at("run-list-failed", () => run("failed", "/list")),
  at("run-list-fan-out", () => run("fanOut", "/list")),
  at("run-list-acts", () => run("paused", "/list")),
  at("run-graph", () => run("failed", "/graph")),
  at("run-graph-race", () => run("raced", "/graph")),
  at("run-graph-children", () => run("children", "/graph")),
  at("run-graph-1000", () => run("fanOutWide", "/graph")),
  at("run-timeline", () => run("failed", "/timeline?step=charge"), inspector),
  at("run-timeline-running", () => run("running", "/timeline")),
  at("run-timeline-fan-out", () => run("fanOut", "/timeline")),
  at("words-list", () => run("retried", "/list?dialect=loops&step=charge"), inspector),
  at("words-list-waiting", () => run("waiting", "/list?dialect=loops")),
  at("words-list-failed", () => run("failed", "/list?dialect=questpie")),
  at("words-graph", () => run("failed", "/graph?dialect=loops")),
  at("words-timeline", () => run("failed", "/timeline?dialect=questpie&step=charge"), inspector),
  at("run-log", () => run("retried", "/log")),
  at("run-blocked", () => run("unknown", "/list")),
  at("run-blocked-code", () => run("blocked", "/list")),
  at("run-queued", () => run("queued", "/list")),
  at("run-cancelled", () => run("cancelled", "/list")),
  at("run-clean-up", () => run("badSaga", "/list")),
  at("run-compensating", () => run("compensating", "/timeline")),
  at("run-timed-out", () => run("timedOut", "/list")),
  at("inspector-output", () => run("large", "/list?step=rows&tab=output"), inspector),
  at("inspector-input", () => run("failed", "/list?step=charge&tab=input"), inspector),
  at("inspector-error", () => run("failed", "/list?step=ship&tab=error"), inspector),
  at("inspector-attempts", () => run("retried", "/list?step=charge&tab=attempts"), inspector),
  at("inspector-logs", () => run("retried", "/list?step=charge&tab=logs"), inspector),
  at("inspector-raw", () => run("retried", "/list?step=charge&tab=raw"), inspector),
  at("inspector-run", () => run("failed", "/list?about=run"), inspector),
  at("events", () => "/events"),
  at("runners", () => "/runners"),
  at("runs-observed", () => "/runs?kind=observed"),
  at("run-timeline-beside", () => run("completed", "/timeline")),
  at("run-list-beside", () => run("completed", "/list")),
  at("flows", () => "/flows"),
  at("flow", () => "/flows/import-orders", drawn),
  at("flow-learned", () => "/flows/nightly-report", drawn),
  at("observed-list", () => observed("failed", "/list?step=write"), inspector),
  at("observed-graph", () => observed("failed", "/graph?step=write&tab=calls"), inspector),
  at("observed-timeline", () => observed("failed", "/timeline?step=parse"), inspector),
  at("observed-retried", () => observed("retried", "/list?step=fetch"), inspector),
  at("observed-stuck", () => observed("stuck", "/graph")),
  at("observed-completed", () => observed("completed", "/graph")),
  at("words-observed", () => observed("failed", "/graph?dialect=failpath&step=write"), inspector),
  at("words-flow", () => "/flows/import-orders?dialect=failpath", drawn),
  at("missing-flow", () => "/flows/nobody"),
  at("access-keys", () => "/access"),
  at("access-namespaces", () => "/access/namespaces"),
  at("access-audit", () => "/access/audit"),
  at("reference", () => "/reference"),
  at("reference-operation", () => "/reference?op=startRun"),
  at("missing-run", () => "/runs/run_00000000000000000000000000000000"),
  at("missing-page", () => "/runners/nowhere"),
];

const dialogsOf = (run: PathOf): readonly Place[] => [
  at("act-cancel", () => run("waiting", "/list?act=cancel"), dialog),
  at("act-pause", () => run("waiting", "/list?act=pause"), dialog),
  at("act-resume", () => run("paused", "/list?act=resume"), dialog),
  at("act-retry", () => run("retrying", "/list?act=retry"), dialog),
  at("act-terminate", () => run("compensating", "/list?act=terminate"), dialog),
  at("run-log-record", () => run("retried", "/log?n=2"), dialog),
  at("bulk-begin", () => "/runs?app=shop&status=waiting&bulk=cancel", counted),
  at("bulk-begin-delete", () => "/runs?app=shop&bulk=delete", counted),
  at("bulk-jobs", () => "/runs?app=shop&job=all", jobs),
  at("bulk-job", () => "/runs?app=shop&job=all", job),
  at("act-delete", () => run("failed", "/list?act=delete"), dialog),
  at("act-rerun", () => run("failed", "/list?act=rerun"), dialog),
  at("act-fork", () => run("failed", "/list?act=fork&step=ship"), dialog),
  at("act-send", () => run("waiting", "/list?act=send&step=approval"), dialog),
  at("act-resolve", () => run("unknown", "/list?act=resolve&step=wire"), dialog),
  at("access-make", () => "/access?act=make", dialog),
  at("access-make-namespace", () => "/access/namespaces?act=make", dialog),
  at("access-act", () => "/access/audit?n=1", dialog),
  at("start", () => "/runs/new?app=shop&wf=checkout", dialog),
  at("keys", () => run("failed", "/list"), key("?", dialog)),
  at("palette", () => run("failed", "/list"), key("Control+k", dialog)),
];
