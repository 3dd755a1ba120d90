/** Acts on all runs that the filters name, done in the page and checked through the API; and runs as files. */

import { readFile } from "node:fs/promises";
import { expect, runOf, test } from "../harness/test.ts";
import { DEAR, order } from "../workshop/people.ts";
import type { RunHandle } from "../workshop/sdk.ts";
import { type Stage, until } from "../workshop/story.ts";

/** Runs that wait for an approval, with orders of their own. */
async function waiting({ stepwell }: Stage, from: number, many: number): Promise<RunHandle[]> {
  const runs = Array.from({ length: many }, async (_, at) => {
    const input = order(from + at, { items: DEAR });
    const run = await stepwell.start("checkout", input, { app: "shop", key: input.orderId });
    await until(run, "waiting", ({ steps }) =>
      steps.some((one) => one.status === "waiting" && one.id === "approval"),
    );
    return run;
  });
  return await Promise.all(runs);
}

/** The runs of the shop, as the API lists them. */
async function runsOf(server: string): Promise<readonly unknown[]> {
  const answer = await fetch(`${server}/api/v1/runs?app=shop&workflow=checkout`);
  return ((await answer.json()) as { readonly runs: readonly unknown[] }).runs;
}

test("all runs that match are counted, cancelled and followed to the end", async ({
  open,
  startSite,
}) => {
  const site = await startSite();
  await site.stage.crew.start(["shop"]);
  const runs = await waiting(site.stage, 500, 6);
  const tab = await open({ site: site.url, stored: { by: "Hanna Okafor" } });
  const { page } = tab;
  await tab.go("/runs");
  await page.getByRole("button", { name: "Act on all that match" }).click();
  // Every run of the namespace is never meant.
  const item = page.getByRole("menuitem", { name: "Cancel all that match" });
  expect(await item.getAttribute("aria-disabled")).toBe("true");
  await page.keyboard.press("Escape");
  await tab.go("/runs?app=shop&wf=checkout&status=waiting");
  await page.getByRole("button", { name: "Act on all that match" }).click();
  await item.click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(/^6 runs match: 6 waiting/).waitFor();
  expect(await runs[0]?.show()).toMatchObject({ status: "waiting" });
  await dialog.getByLabel("Reason", { exact: true }).fill("a flood of <b>tests</b>");
  await page.keyboard.press("Control+Enter");
  await dialog.getByText("Done with 6 runs.").waitFor();
  for (const run of runs) {
    const { history } = await until(run, "cancelled", ({ status }) => status === "cancelled");
    expect(
      history.some(
        ({ by, detail }) => by === "Hanna Okafor" && detail === "a flood of <b>tests</b>",
      ),
    ).toBe(true);
  }
  expect(tab.address).toMatch(/job=/);
  await page.reload();
  await dialog.getByText("Done with 6 runs.").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });

  // What has ended is refused a cancel, and says so.
  await tab.go("/runs?app=shop&wf=checkout&bulk=cancel");
  await dialog.getByText(/^6 runs match: 6 cancelled/).waitFor();
  await dialog.getByLabel("Reason", { exact: true }).fill("once more");
  await page.keyboard.press("Control+Enter");
  await dialog.getByText("Done with 6 runs.").waitFor();
  await dialog.getByText("SW2005").waitFor();

  await tab.go("/runs?app=shop&wf=checkout&bulk=delete");
  await dialog.getByText(/^6 runs match/).waitFor();
  await dialog.getByLabel("Reason", { exact: true }).fill("test orders");
  await dialog.getByLabel(/^Type/).fill("delete 6");
  await page.keyboard.press("Control+Enter");
  await dialog.getByText("Done with 6 runs.").waitFor();
  await expect.poll(async () => await runsOf(site.server.url)).toEqual([]);
}, 120_000);

test("a run and all that match are saved as files", async ({ open }) => {
  const tab = await open();
  const { page } = tab;
  const run = runOf("failed");
  await tab.go(`/runs/${run}/list`);
  await page.getByRole("button", { name: "More acts" }).click();
  const one = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Export", exact: true }).click();
  const file = await one;
  expect(file.suggestedFilename()).toBe(`${run}.jsonl`);
  expect(await readFile(await file.path(), "utf8")).toContain(run);

  await tab.go("/runs?app=shop&status=failed");
  await page.getByRole("button", { name: "Act on all that match" }).click();
  const many = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Export all that match" }).click();
  expect(await readFile(await (await many).path(), "utf8")).toContain(run);
});
