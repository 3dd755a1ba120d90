/** What a server has recorded is seen at once: from a step's `completedAt` to the change of the page. */

import type { Page } from "playwright-core";
import type { Tab } from "../harness/tab.ts";
import { expect, figure, test } from "../harness/test.ts";
import type { Stage } from "../workshop/story.ts";

const RUNS = 4;
const STEPS = 30;
/** Of 100 steps, 95 are seen within so many milliseconds. */
const P95_MS_MAX = 250;
/** The best of so many tries counts: a machine that does something else meanwhile makes the others later. */
const TRIES = 3;

test("a step that ends is seen within 250 ms", async ({ open, stage }) => {
  const tab = await open({ height: 1300, stored: { density: "compact" } });
  const p95s: number[] = [];
  while (p95s.length < TRIES && !p95s.some((p95) => p95 <= P95_MS_MAX)) {
    p95s.push(await measure(tab, stage, p95s.length));
  }
  expect(Math.min(...p95s)).toBeLessThanOrEqual(P95_MS_MAX);
});

/** Has lorries unloaded while their runs are looked at. Returns after how many milliseconds 95 % of the steps were seen. */
async function measure(tab: Tab, stage: Stage, attempt: number): Promise<number> {
  const waited: number[] = [];
  for (let n = 0; n < RUNS; n++) {
    const lorry = `NL-${n}-K${4 + attempt}`;
    const input = { lorry, pallets: STEPS, eachMs: 60 + n * 25 };
    const run = await stage.stepwell.start("unloading", input, { app: "shop" });
    await tab.go(`/runs/${run.id}/list`);
    await tab.page.getByRole("grid").getByText("free dock").waitFor();
    await watch(tab.page);
    await stage.stepwell.send("dock.free", { lorry });
    await run.wait();
    await tab.page.waitForFunction((count) => window.seen?.size === count, STEPS);
    const seen = new Map(await tab.page.evaluate(() => [...(window.seen ?? [])]));
    const { steps } = await run.show();
    for (const { id, completedAt } of steps) {
      const at = seen.get(id);
      if (at !== undefined) waited.push(at - Date.parse(completedAt ?? ""));
    }
  }
  expect(waited.length).toBe(RUNS * STEPS);
  waited.sort((a, b) => a - b);
  const share = (part: number) => waited[Math.ceil(waited.length * part) - 1] ?? Number.NaN;
  figure(
    "completedAt to DOM",
    `p50 ${ms(share(0.5))}, p95 ${ms(share(0.95))}, max ${ms(share(1))}`,
  );
  return share(0.95);
}

declare global {
  interface Window {
    /** When a pallet's row was first seen as completed, by the clock of the machine. */
    seen?: Map<string, number>;
  }
}

/** Notes in the page when a row of a pallet shows that it has completed: at the mutation, not at a poll. */
async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen = new Map<string, number>();
    window.seen = seen;
    const look = () => {
      const now = performance.timeOrigin + performance.now();
      for (const row of document.querySelectorAll("[role=grid] tr, [role=row]")) {
        if (row.querySelector('[aria-label="completed"]') === null) continue;
        const name = /pallet \d+/.exec(row.textContent ?? "")?.[0];
        if (name !== undefined && !seen.has(name)) seen.set(name, now);
      }
    };
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
  });
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
