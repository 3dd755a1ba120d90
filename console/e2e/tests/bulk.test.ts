/** Acts on all runs that the filters name, done in the page and checked through the API; and runs as files. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Download } from "playwright-core";
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

/** What a download holds: the browser runs elsewhere, and gives no path of its own. */
async function textOf(download: Download): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "stepwell-download-"));
  try {
    const file = join(folder, "file");
    await download.saveAs(file);
    return await readFile(file, "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
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

  // A cancel of what has ended changes nothing (§7.6), and a pause is refused: both are said before and after.
  await tab.go("/runs?app=shop&wf=checkout&bulk=cancel");
  await dialog.getByText(/^6 runs match: 6 cancelled/).waitFor();
  await dialog.getByText("All of them have ended and stay as they are.").waitFor();
  await dialog.getByLabel("Reason", { exact: true }).fill("once more");
  await page.keyboard.press("Control+Enter");
  await dialog.getByText("Done with 6 runs.").waitFor();
  await dialog.getByText("had ended before stay as they were").waitFor();
  await tab.go("/runs?app=shop&wf=checkout&bulk=pause");
  await dialog.getByText("All of them have ended and are refused.").waitFor();
  await dialog.getByLabel("Reason", { exact: true }).fill("stock count");
  await page.keyboard.press("Control+Enter");
  await dialog.getByText("Done with 6 runs: 0 done and 6 refused.").waitFor();
  await dialog.getByText("SW2005").waitFor();
  const refused = dialog.getByRole("link", { name: /^run_/ });
  expect(runs.map(({ id }) => id)).toContain(await refused.textContent());

  await tab.go("/runs?app=shop&wf=checkout&bulk=delete");
  await dialog.getByText(/^6 runs match/).waitFor();
  await dialog.getByLabel("Reason", { exact: true }).fill("test orders");
  await dialog.getByLabel(/^Type/).fill("delete 6");
  await page.keyboard.press("Control+Enter");
  await dialog.getByText("Done with 6 runs.").waitFor();
  await expect.poll(async () => await runsOf(site.server.url)).toEqual([]);
  // The list behind it has lost them by itself.
  await page.getByRole("button", { name: "Close", exact: true }).last().click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("heading", { name: /^No run matches/ }).waitFor();
});

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
  const bundle = await textOf(file);
  expect(bundle).toContain(run);

  await tab.go("/runs?app=shop&status=failed");
  await page.getByRole("button", { name: "Act on all that match" }).click();
  const many = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Export all that match" }).click();
  const both = await textOf(await many);
  expect(both).toContain(run);
  expect(both.length).toBeGreaterThan(bundle.length);
});
