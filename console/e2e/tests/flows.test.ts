/** Flows and observed runs: from a flow to what broke in a run, live, beside durable runs, and with very many calls. */

import { inject } from "vitest";
import { expect, figure, runOf, test } from "../harness/test.ts";
import { hostileName, hostileText } from "../workshop/hostile.ts";
import { IMPORT, manyCalls, RUNS, type Told, tell } from "../workshop/observed.ts";

const runPath = (run: string, rest = "", flow = IMPORT) =>
  `/flows/${encodeURIComponent(flow)}/runs/${encodeURIComponent(run)}${rest}`;

test("from the flows to what broke, without a mouse", async ({ open }) => {
  const tab = await open();
  const { page } = tab;
  const { keyboard } = page;
  await tab.go("/runs");
  await keyboard.press("g");
  await keyboard.press("f");
  await page.waitForURL((url) => url.pathname === "/flows");
  // What is stuck comes first.
  await page.getByRole("row", { name: /Import orders/ }).waitFor();
  await keyboard.press("j");
  await keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === `/flows/${IMPORT}`);
  const failed = page.getByRole("button", { name: "Failed", exact: true });
  await failed.press("Enter");
  await page.waitForURL(/status=failed/);
  const grid = page.getByRole("grid");
  await grid.getByRole("row", { name: new RegExp(RUNS.failed) }).waitFor();
  await expect.poll(async () => await grid.getByRole("row").count()).toBe(2);
  await failed.evaluate((one) => one.blur());
  await keyboard.press("j");
  await keyboard.press("Enter");
  await page.waitForURL((url) => decodeURIComponent(url.pathname).includes(RUNS.failed));
  await keyboard.press("1");
  await page.getByRole("grid").getByText("TimeoutError").first().waitFor();
  await keyboard.press("e");
  await expect.poll(async () => await page.getByRole("grid").getByRole("row").count()).toBe(2);
  await keyboard.press("n");
  await page.waitForURL(/step=dedupe/);
});

test("a flow's page tells where it breaks first, and its errors lead to their last run", async ({
  open,
}) => {
  const tab = await open();
  const { page } = tab;
  await tab.go(`/flows/${IMPORT}`);
  await page
    .getByText(/was the first to fail in 1\srun/)
    .first()
    .waitFor();
  const graph = page.getByRole("region", { name: "Steps as a graph" });
  await graph.getByRole("button", { name: /^write/ }).waitFor();
  await graph.getByRole("button", { name: /^dedupe.*1\smissing/ }).waitFor();
  const errors = page.getByRole("region", { name: "Errors" });
  await errors
    .getByRole("row", { name: /TimeoutError/ })
    .getByRole("link")
    .click();
  await page.waitForURL(/tab=error/);
  await page.getByRole("tabpanel").getByText("no answer from the warehouse").waitFor();
});

test("a flow that nobody declared shows what its runs teach, and says so", async ({ open }) => {
  const tab = await open();
  await tab.go("/flows/nightly-report");
  await tab.page.getByText("Learned from its runs").waitFor();
  const graph = tab.page.getByRole("region", { name: "Steps as a graph" });
  await graph.getByRole("button", { name: /^render/ }).waitFor();
  await tab.page.getByText(/flows init --from-server nightly-report/).waitFor();
});

test("the graph of a run shows each status, and where the run went", async ({ open }) => {
  const tab = await open();
  const { page } = tab;
  await tab.go(runPath(RUNS.failed, "/graph"));
  const shapes: readonly (readonly [key: string, shape: string])[] = [
    ["fetch", "run"],
    ["dedupe", "missing"],
    ["write", "run"],
    ["audit", "skip"],
    ["publish", "notReached"],
    ["notify", "notReached"],
    ["map-legacy-sku", "run"],
  ];
  for (const [key, shape] of shapes) {
    await page.locator(`.node.shape-${shape}[data-node="${key}"]`).waitFor();
  }
  await page.getByText("Not declared").waitFor();
  const lines = await page
    .locator(".edges .edge")
    .evaluateAll((all) =>
      all.map((one) => [one.getAttribute("class"), (one.getAttribute("d") ?? "").length > 0]),
    );
  expect(lines).toContainEqual(["edge dotted", true]);
  expect(lines).toContainEqual(["edge", true]);
  // The secret of its metadata was redacted before it was kept.
  expect(await page.getByText("sk_live").count()).toBe(0);
  await page
    .getByRole("button", { name: /^apiKey/ })
    .getByText("[redacted]")
    .waitFor();
});

test("what is told while one looks is seen, without a reload", async ({ open }) => {
  const tab = await open();
  const { page } = tab;
  const run = "live-1";
  const event = (step: string, status: Told["status"], call: string): Told => ({
    ...{ flow: "live", run, step, status, call },
    at: Date.now(),
  });
  await tell(inject("server"), [event("charge", "running", "c1")]);
  await tab.go(runPath(run, "/list", "live"));
  const grid = page.getByRole("grid");
  await grid
    .getByRole("row", { name: /charge/ })
    .getByRole("img", { name: "running" })
    .waitFor();
  await tell(inject("server"), [
    { ...event("charge", "error", "c1"), error: { name: "CardError", message: "declined" } },
    event("refund", "running", "c2"),
  ]);
  await grid.getByText("CardError: declined").waitFor();
  await grid
    .getByRole("row", { name: /refund/ })
    .getByRole("img", { name: "running" })
    .waitFor();
});

test("the list of runs has both kinds, and one of them where it is asked for", async ({ open }) => {
  const tab = await open();
  const { page } = tab;
  await tab.go("/runs?q=2026-11-22T07");
  await page.getByRole("row", { name: /T07:00/ }).waitFor();
  await tab.go("/runs?kind=observed");
  await page.getByRole("row", { name: /T07:00/ }).waitFor();
  expect(await page.getByRole("grid").getByText("checkout", { exact: true }).count()).toBe(0);
  await page.getByRole("button", { name: "Durable" }).click();
  await page.getByRole("grid").getByText("checkout", { exact: true }).first().waitFor();
  expect(await page.getByRole("grid").getByText(IMPORT, { exact: true }).count()).toBe(0);
  await page.getByRole("button", { name: "All", exact: true }).last().click();
  await page.waitForURL((url) => !url.searchParams.has("kind"));
});

test("a durable run shows what was observed of the same id, as a group of its own", async ({
  open,
}) => {
  const tab = await open();
  const { page } = tab;
  for (const view of ["list", "timeline"]) {
    await tab.go(`/runs/${runOf("completed")}/${view}`);
    await page.getByText("outside of this run, of the same id or trace").waitFor();
    await page.getByText("send-mail").first().waitFor();
  }
  await page.getByRole("link", { name: /^order-mail/ }).click();
  await page.waitForURL((url) => url.pathname.startsWith("/flows/order-mail/runs/"));
  await page.getByRole("link", { name: "Its durable run" }).click();
  await page.waitForURL((url) => url.pathname.startsWith(`/runs/${runOf("completed")}`));
});

test("a run of 10,000 calls stays usable: only what is seen is drawn", async ({ open }) => {
  await tell(inject("server"), manyCalls("many-rows", 10_000, Date.now()));
  const tab = await open();
  const { page } = tab;
  for (const view of ["list", "timeline", "graph"]) {
    await tab.go(runPath("many-rows", `/${view}?step=row&tab=calls`, "bulk-import"));
    await page
      .getByText(/Call \d{1,2},\d{3}/)
      .first()
      .waitFor();
    const drawn = await page.evaluate(() => document.querySelectorAll("*").length);
    figure(`elements of the ${view} of 10,000 calls`, String(drawn));
    expect(drawn).toBeLessThan(3000);
  }
  const calls = page.locator(".calls");
  await expect
    .poll(async () => {
      await calls.evaluate((one) => one.scrollTo(0, one.scrollHeight));
      return await calls.evaluate(
        (one) => one.scrollTop + one.clientHeight >= one.scrollHeight - 2,
      );
    })
    .toBe(true);
  await page.getByText(/The latest 1,000 of/).waitFor();
});

test("names, metadata and errors of telemetry are text, whatever they hold", async ({ open }) => {
  const flow = "<img src=x onerror='__hit=1'>";
  // Names of telemetry hold no control characters; the rest is as bad as it is.
  const clean = (text: string) => text.replaceAll(/\p{Cc}/gu, "·").slice(0, 180) || "empty";
  const told = Array.from({ length: 40 }, (_, n): Told => {
    const error = { name: hostileName(n), message: hostileText(n), stack: hostileText(n + 1) };
    return {
      ...{ flow, run: `<b>${clean(hostileName(2))}`, step: clean(hostileName(n)), status: "error" },
      ...{ at: Date.now() - 90_000 + n, call: `h${n}`, process: clean(hostileName(n + 40)), error },
      metadata: { [hostileName(n)]: hostileText(n) },
      runMetadata: { [hostileName(n)]: hostileText(n) },
    };
  });
  await tell(inject("server"), told);
  const tab = await open();
  const run = told[0]?.run ?? "";
  const paths = ["/list", "/graph", "/timeline", "/list?step=&about=run"].map((rest) =>
    runPath(run, rest, flow),
  );
  for (const path of [
    "/flows",
    `/flows/${encodeURIComponent(flow)}`,
    "/runs?kind=observed",
    ...paths,
  ]) {
    await tab.go(path);
    await tab.page.getByText("<img src=x").or(tab.page.getByText("<b>")).first().waitFor();
  }
  expect(await tab.page.locator("main img, main b > script").count()).toBe(0);
});
