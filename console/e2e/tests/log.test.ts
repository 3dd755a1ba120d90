/** The event log of a run: every record that the API tells, as they are written. */

import { expect, runOf, test } from "../harness/test.ts";
import { DEAR, order } from "../workshop/people.ts";
import { until } from "../workshop/story.ts";

interface History {
  readonly records: readonly { readonly n: number; readonly kind: string }[];
  readonly next: string | null;
}

/** All records of a run, as the API tells them. */
async function historyOf(server: string, run: string): Promise<History["records"]> {
  const answer = await fetch(`${server}/api/v1/runs/${run}/history?limit=1000`);
  return ((await answer.json()) as History).records;
}

test("each record of a run is a row, and is opened by its key", async ({ open, stage }) => {
  const run = runOf("failed");
  const records = await historyOf(stage.crew.url, run);
  const tab = await open();
  const { page } = tab;
  await tab.go(`/runs/${run}/list`);
  await page.getByRole("button", { name: "More acts" }).click();
  await page.getByRole("menuitem", { name: "Event log" }).click();
  await page.waitForURL((url) => url.pathname === `/runs/${run}/log`);
  const grid = page.getByRole("grid");
  await grid
    .getByText(records[0]?.kind ?? "", { exact: true })
    .first()
    .waitFor();
  await page.getByText(`${records.length}\u00a0records,`).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.getByText("record 1", { exact: true }).waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  // A step is found in what records hold.
  await page.getByLabel("Filter records").fill("CarrierError");
  await page.getByText(/^\d+\srecords? of \d+/).waitFor();
});

test("records come as they are written", async ({ open, stage }) => {
  const input = order(410, { items: DEAR });
  const run = await stage.stepwell.start("checkout", input, { app: "shop", key: input.orderId });
  await until(run, "waiting", ({ steps }) =>
    steps.some((one) => one.status === "waiting" && one.id === "approval"),
  );
  const tab = await open();
  await tab.go(`/runs/${run.id}/log`);
  // More may be written at any time; the page comes to tell as many as there are.
  let before = 0;
  const tellsAll = async (): Promise<boolean> => {
    const all = (await historyOf(stage.crew.url, run.id)).length;
    const isTold = await tab.page.getByText(`${all}\u00a0records,`).isVisible();
    if (!isTold || all <= before) return false;
    before = all;
    return true;
  };
  await expect.poll(tellsAll).toBe(true);
  await run.pause({ reason: "stock count" });
  await tab.page.getByRole("grid").getByText("stock count").waitFor();
  await expect.poll(tellsAll).toBe(true);
});

test("what is no run has no log, and says so", async ({ open }) => {
  const tab = await open();
  tab.allow(/status of 404/);
  await tab.go("/runs/run_00000000000000000000000000000000/log");
  await tab.page.getByRole("heading", { name: /^No run/ }).waitFor();
});
