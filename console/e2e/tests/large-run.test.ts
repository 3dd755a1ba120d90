/** A run of 10,000 steps: it is there soon, it scrolls without a hitch, and it leaves memory for others. */

import type { Page } from "playwright-core";
import { expect, figure, test } from "../harness/test.ts";
import { ledger } from "../workshop/story.ts";

const FIRST_STEP_MS_MAX = 1500;
const LONG_TASK_MS_MAX = 100;
/** The best of so many tries counts: a machine that does something else meanwhile makes the others longer. */
const TRIES = 3;
const HEAP_BYTES_MAX = 200 * 1024 * 1024;

test("10,000 steps are there soon, and scroll without a hitch", async ({ open, stage }) => {
  // One step is the load of the book, the others are its lines.
  const run = await ledger(stage, 9_998);
  const tab = await open();
  const firsts: number[] = [];
  for (let n = 0; n < TRIES; n++) {
    const begin = performance.now();
    await tab.page.goto(`${tab.origin}/runs/${run.id}/list`);
    await tab.page.getByRole("grid").getByText("book line 1", { exact: true }).waitFor();
    firsts.push(performance.now() - begin);
  }
  figure("navigation to first step", firsts.map((ms) => `${ms.toFixed(0)} ms`).join(", "));
  const grid = tab.page.getByRole("grid");
  await expect.poll(async () => await grid.getAttribute("aria-rowcount")).toBe("9998");
  const longest: number[] = [];
  while (longest.length < TRIES && !longest.some((task) => task <= LONG_TASK_MS_MAX)) {
    longest.push(await scrollThrough(tab.page));
    await grid.getByText("book line 9998", { exact: true }).waitFor();
  }
  figure("longest task of the scroll", longest.map((task) => `${task.toFixed(0)} ms`).join(", "));

  const heap = await heapOf(tab.page);
  figure("heap after collection", `${(heap / 1024 / 1024).toFixed(1)} MB`);
  expect(Math.min(...firsts)).toBeLessThanOrEqual(FIRST_STEP_MS_MAX);
  expect(Math.min(...longest)).toBeLessThanOrEqual(LONG_TASK_MS_MAX);
  expect(heap).toBeLessThanOrEqual(HEAP_BYTES_MAX);
});

/** Scrolls the list from its begin to its end, a frame at a time; gives the longest task meanwhile. */
async function scrollThrough(page: Page): Promise<number> {
  return await page.getByRole("grid").evaluate(async (grid) => {
    let scroller: Element = grid;
    while (scroller.scrollHeight <= scroller.clientHeight + 1 && scroller.parentElement !== null) {
      scroller = scroller.parentElement;
    }
    let longest = 0;
    const tasks = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    });
    tasks.observe({ type: "longtask" });
    const frame = async () => await new Promise(requestAnimationFrame);
    // Slow enough that rows are drawn, quick enough that the whole list takes some seconds.
    const by = Math.max(scroller.clientHeight * 0.8, scroller.scrollHeight / 400);
    const end = () => scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1;
    scroller.scrollTop = 0;
    await frame();
    while (!end()) {
      scroller.scrollTop += by;
      await frame();
    }
    // What is observed is told after the task that follows.
    await frame();
    await new Promise((resolve) => setTimeout(resolve));
    tasks.disconnect();
    return longest;
  });
}

/** Returns how much of the heap is used once garbage is collected. */
async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.enable");
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize;
}
