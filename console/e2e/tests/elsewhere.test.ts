/** What the pages of Loops, Durablex and Failpath say that a run's page shows, of code that is written as for them. */

import type { Page } from "playwright-core";
import { inject } from "vitest";
import { expect, test } from "../harness/test.ts";
import { CHARGE, care, createFailpathClient, orders, PROFILE } from "../workshop/elsewhere.ts";
import { type RunHandle, ref } from "../workshop/sdk.ts";
import { type Stage, until } from "../workshop/story.ts";

const serve = (one: typeof care) =>
  one.serve({ url: inject("server"), log: false, handleSignals: false });
const start = async ({ stepwell }: Stage, name: string, input?: unknown): Promise<RunHandle> =>
  await stepwell.start(ref(name), input);

/** Resolves once the last step of a run stands so. */
async function stands(run: RunHandle, status: string, steps: number): Promise<void> {
  await until(run, status, (view) => {
    return view.steps.length === steps && view.steps.at(-1)?.status === status;
  });
}

const row = (page: Page, name: string) =>
  page.getByRole("grid").getByRole("row").filter({ hasText: name });
const glyph = (page: Page, name: string, status: string) =>
  row(page, name).getByRole("img", { name: new RegExp(`^${status}\\b`) });
/** The names of steps in the order in which they stand. */
const names = (page: Page) => page.locator(".row-step .line > .name").allTextContents();

test("a loop's run reads as its steps: glyph, name, duration, return", async ({ open, stage }) => {
  await using _runner = await serve(care);
  const run = await start(stage, "daily-scan", "p-7");
  await stands(run, "waiting", 3);
  const { page, go } = await withPage(open);
  await go(`/runs/${run.id}/list?dialect=loops`);
  await glyph(page, "waitForScan", "running").waitFor();
  await stage.stepwell.send("scan", { pulse: 61 }, { run: run.id });
  await glyph(page, "Send notification", "succeeded").waitFor();
  expect(await names(page)).toEqual([
    "Load profile",
    "Ask for a scan <now>",
    "waitForScan",
    "Send notification",
  ]);
  // A check, and nothing beside it that says whether it was replayed.
  for (const name of ["Load profile", "waitForScan", "Send notification"]) {
    await glyph(page, name, "succeeded").waitFor();
    expect(await row(page, name).locator(".took").textContent()).toMatch(
      /^(<\s)?[\d.]+\s?(µs|ms|s|m)/,
    );
    expect(await row(page, name).locator(".glyph .cut, .glyph .turns").count()).toBe(0);
  }
  // What it gave stands beneath the row, in one line, and formatted where the row is opened.
  await row(page, "Load profile").locator(".result").getByText("north").waitFor();
  await row(page, "waitForScan").locator(".result").getByText("61").waitFor();
  await row(page, "Load profile").dblclick();
  const lines = row(page, "Load profile").locator(".result.open .json-line");
  await expect.poll(async () => await lines.count()).toBeGreaterThan(3);
  const text = (await lines.allTextContents()).join("");
  for (const value of Object.values(PROFILE)) expect(text).toContain(value);
});

test("a step that failed has an X, and its error beneath the row", async ({ open, stage }) => {
  await using _runner = await serve(care);
  const run = await start(stage, "daily-scan", "nobody");
  await stands(run, "failed", 1);
  const { page, go } = await withPage(open);
  await go(`/runs/${run.id}/list?dialect=loops`);
  const sign = glyph(page, "Load profile", "failed");
  await sign.waitFor();
  expect(await sign.locator(".cut").count()).toBe(1);
  const beneath = row(page, "Load profile").locator(".error-lines");
  await beneath.getByText("TypeError: there is no such patient").waitFor();
  await row(page, "Load profile").click();
  await page.getByRole("tab", { name: "Raw" }).click();
  // The same as JSON, with its stack.
  await page.getByRole("tabpanel").getByText("there is no such patient").first().waitFor();
  await page.getByRole("tabpanel").getByText("elsewhere.ts").first().waitFor();
});

test("a step that runs has a sign that turns", async ({ open, stage }) => {
  const runner = await serve(care);
  const run = await start(stage, "daily-scan", "slow");
  await stands(run, "running", 1);
  const { page, go } = await withPage(open);
  await go(`/runs/${run.id}/list?dialect=loops`);
  const sign = glyph(page, "Load profile", "running");
  await sign.waitFor();
  expect(await sign.locator(".turns").count()).toBe(1);
  await run.cancel();
  await runner.stop({ timeout: "100ms" });
});

test("a step that was replayed looks as it did before", async ({ open, stage }) => {
  const first = await serve(care);
  const run = await start(stage, "daily-scan", "p-7");
  await stands(run, "waiting", 3);
  const { page, go } = await withPage(open);
  await go(`/runs/${run.id}/list?dialect=loops`);
  await glyph(page, "waitForScan", "running").waitFor();
  const before = await row(page, "Load profile").textContent();
  await first.stop();
  await using _second = await serve(care);
  await stage.stepwell.send("scan", { pulse: 70 }, { run: run.id });
  await glyph(page, "Send notification", "succeeded").waitFor();
  expect(await row(page, "Load profile").textContent()).toBe(before);
});

test("three views show the same steps: list, graph, timeline", async ({ open, stage }) => {
  await using _runner = await serve(orders);
  const run = await start(stage, "fulfil");
  await stands(run, "waiting", 8);
  const { page, go } = await withPage(open);
  const ids = (await run.show()).steps.map(({ id }) => id);
  await go(`/runs/${run.id}/list`);
  await row(page, "await-approval").waitFor();
  expect([...(await names(page))].sort()).toEqual([...ids].sort());
  await page.getByRole("button", { name: /^Graph/ }).click();
  for (const id of ids) await page.locator(`.node[data-node="${id}"]`).waitFor();
  // It shows where the run is, and what each step gave.
  await page.locator('.node.is-open[data-node="await-approval"]').waitFor();
  expect(await page.locator(".node.is-open").count()).toBe(1);
  await page.locator('.node[data-node="charge"]').click();
  await page.getByRole("tabpanel").getByText("tx-o-7").first().waitFor();
  await page.getByRole("button", { name: /^Timeline/ }).click();
  const labels = page.locator(".timeline-row .name");
  await expect.poll(async () => await labels.count()).toBe(ids.length);
  await run.cancel();
});

test("on the timeline a sleep is a gap, and parallel steps overlap", async ({ open, stage }) => {
  await using _runner = await serve(orders);
  const run = await start(stage, "fulfil");
  await stands(run, "waiting", 8);
  await run.cancel();
  const { page, go } = await withPage(open);
  await go(`/runs/${run.id}/timeline?fold=0`);
  const bar = async (name: string, kind: string) => {
    const bars = page
      .locator(".timeline-row")
      .filter({ hasText: name })
      .locator(`.bars ${kind} rect`);
    const box = await bars.first().boundingBox();
    if (box === null) throw new Error(`${name} has no bar`);
    return { from: box.x, to: box.x + box.width };
  };
  await page.locator(".timeline-row").filter({ hasText: "ship" }).locator(".bars rect").waitFor();
  const [user, prefs] = [await bar("user", ".bar-work"), await bar("prefs", ".bar-work")];
  expect(user.from).toBeLessThan(prefs.to);
  expect(prefs.from).toBeLessThan(user.to);
  const [charge, ship] = [await bar("charge", ".bar-work"), await bar("ship", ".bar-work")];
  const sleep = await bar("wait-for-settlement", ".bar-world");
  // One axis for all: nothing works while it sleeps.
  expect(charge.to).toBeLessThanOrEqual(sleep.from + 2);
  expect(ship.from).toBeGreaterThanOrEqual(sleep.to - 2);
  expect(sleep.to - sleep.from).toBeGreaterThan(charge.to - charge.from);
  await bar("await-approval", ".bar-world");
});

test("the Input tab has what a step was given, where that is known", async ({ open, stage }) => {
  await using _runner = await serve(orders);
  const run = await start(stage, "fulfil");
  await stands(run, "waiting", 8);
  const { page, go } = await withPage(open);
  const inputs: readonly (readonly [step: string, texts: readonly string[]])[] = [
    ["charge", ["orderId", String(CHARGE.amount)]],
    ["wait-for-settlement", ["duration", "2s"]],
    ["fraud", ["o-7"]],
    ["notify", ["fulfil.told", "shipped"]],
    ["await-approval", ["fulfil.approved", "1d"]],
  ];
  for (const [step, texts] of inputs) {
    await go(`/runs/${run.id}/list?step=${step}&tab=input`);
    const panel = page.getByRole("tabpanel");
    for (const text of texts) await panel.getByText(text).first().waitFor();
  }
  await go(`/runs/${run.id}/list?step=user`);
  await page.getByRole("tab", { name: "Raw" }).waitFor();
  expect(await page.getByRole("tab", { name: "Input" }).count()).toBe(0);
  await run.cancel();
});

test("an observed run shows what was told of it, also by hand, and what was not", async ({
  open,
}) => {
  const declared = ["check", "pay", "wrap", "mail", "archive"].map((key) => ({ key }));
  const answer = await fetch(`${inject("server")}/api/v1/flows/elsewhere`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ steps: declared, quietAfter: "1ms" }),
  });
  expect(answer.status).toBe(200);
  const failpath = createFailpathClient({ url: inject("server"), projectKey: "sw_no_key_needed" });
  const run = failpath.run("elsewhere", { runId: "r-1" });
  await run.step("check", () => 1, { metadata: { items: 3 } });
  await run.step("pay", () => Promise.reject(new Error("declined"))).catch(() => undefined);
  await run.step("pay", () => new Promise((resolve) => setTimeout(resolve, 30)));
  await run.skip("wrap");
  const byHand = { flowKey: "elsewhere", runId: "r-1", stepKey: "archive" } as const;
  await failpath.recordStep({ ...byHand, status: "success" });
  const second = failpath.run("elsewhere", { runId: "r-2" });
  await second.step("check", () => 1);
  await second.step("pay", () => Promise.reject(new Error("declined"))).catch(() => undefined);
  void failpath
    .run("elsewhere", { runId: "r-3" })
    .step("check", () => new Promise(() => undefined));
  expect(await failpath.close("60s")).toBe(true);

  const { page, go } = await withPage(open);
  const path = (id: string, view: string) => `/flows/elsewhere/runs/${id}/${view}`;
  await go(path("r-1", "list?dialect=failpath"));
  await glyph(page, "check", "success").waitFor();
  await glyph(page, "wrap", "skipped").waitFor();
  await glyph(page, "mail", "missing").waitFor();
  await glyph(page, "archive", "success").waitFor();
  expect(await row(page, "pay").locator(".took").textContent()).toMatch(/[\d.]+\s?(ms|s)/);
  await row(page, "check").click();
  await page.getByRole("tab", { name: /^Metadata/ }).click();
  await page.getByRole("tabpanel").getByText("items").waitFor();
  await go(path("r-1", "graph?dialect=failpath"));
  for (const [key, shape] of [
    ["check", "run"],
    ["wrap", "skip"],
    ["mail", "missing"],
    ["archive", "run"],
  ]) {
    await page.locator(`.node.shape-${shape}[data-node="${key}"]`).waitFor();
  }
  await go(path("r-2", "list?dialect=failpath"));
  await glyph(page, "pay", "error").waitFor();
  await row(page, "pay").getByText("Error: declined").waitFor();
  // The process of this one told no end: it is stuck in running.
  await go(path("r-3", "list?dialect=failpath"));
  await glyph(page, "check", "running").waitFor();
});

/** Opens a tab; gives its page, and how it goes somewhere. */
async function withPage(
  open: () => Promise<{ readonly page: Page; go(path: string): Promise<void> }>,
): Promise<{ page: Page; go: (path: string) => Promise<void> }> {
  const tab = await open();
  return { page: tab.page, go: async (path) => await tab.go(path) };
}
