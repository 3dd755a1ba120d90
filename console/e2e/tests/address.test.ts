/** What is shown stands in the address: a reload shows the same, back and forward undo and redo. */

import type { Page } from "playwright-core";
import { expect, runOf, test } from "../harness/test.ts";

/**
 * What a person sees of a page: which view, what is selected, which tab, what the filters say. Counts are left
 * out: they are of the server, not of the address, and come and change when they like.
 */
async function shown(page: Page): Promise<unknown> {
  return await page.evaluate(() => {
    const textOf = (one: Element) => {
      const words = one.cloneNode(true) as Element;
      for (const count of words.querySelectorAll(".n")) {
        count.remove();
      }
      return words.textContent?.trim() ?? "";
    };
    const texts = (selector: string) => [...document.querySelectorAll(selector)].map(textOf);
    const fields = [...document.querySelectorAll("input")].map(({ value }) => value);
    return {
      address: location.pathname + location.search,
      pressed: texts('[aria-pressed="true"]').filter((text) => !/Live|ms|\ds/.test(text)),
      tab: texts('[role="tab"][aria-selected="true"]'),
      inspected: texts(".inspector h2 .name").slice(0, 1),
      dialog: texts("dialog h2"),
      fields,
    };
  });
}

const ADDRESSES: readonly (readonly [string, () => string])[] = [
  ["the list of runs", () => "/runs"],
  ["filters of runs", () => "/runs?app=shop&status=failed,blocked&wf=checkout&from=7d&q=polar"],
  ["an attribute", () => "/runs?attr.country=AQ"],
  ["a list", () => `/runs/${runOf("failed")}/list`],
  ["a step", () => `/runs/${runOf("failed")}/list?step=ship&tab=attempts`],
  ["an attempt", () => `/runs/${runOf("failed")}/list?step=ship&tab=attempts&attempt=2`],
  ["the run inspected", () => `/runs/${runOf("failed")}/list?about=run`],
  ["filters of steps", () => `/runs/${runOf("failed")}/list?q=ship&failures=1`],
  ["a graph", () => `/runs/${runOf("failed")}/graph?step=charge&tab=logs`],
  ["a timeline", () => `/runs/${runOf("failed")}/timeline?step=charge&fold=0&path=1`],
  ["an act", () => `/runs/${runOf("failed")}/list?act=rerun`],
  ["events", () => "/events"],
  ["runners", () => "/runners"],
];

for (const [what, path] of ADDRESSES) {
  test(`a reload shows the same: ${what}`, async ({ open }) => {
    const tab = await open();
    await tab.go(path());
    const before = await settledShown(tab.page);
    await tab.page.reload();
    await expect.poll(async () => await shown(tab.page)).toEqual(before);
    expect(tab.address).toBe(path());
  });
}

/** What is shown once it does not change any more: answers come one after the other. */
async function settledShown(page: Page): Promise<unknown> {
  let last = await shown(page);
  await expect
    .poll(
      async () => {
        const now = await shown(page);
        const same = JSON.stringify(now) === JSON.stringify(last);
        last = now;
        return same;
      },
      { interval: 300 },
    )
    .toBe(true);
  return last;
}

test("back and forward undo and redo views, selection and filters", async ({ open }) => {
  const tab = await open();
  const run = `/runs/${runOf("failed")}`;
  await tab.go(`${run}/list`);
  const { page } = tab;
  const steps = [
    async () => await page.getByRole("grid").getByText("charge", { exact: true }).first().click(),
    async () => await page.getByRole("button", { name: /^Timeline/ }).click(),
    async () => await page.getByRole("button", { name: /^Failures only/ }).click(),
    async () => await page.getByRole("button", { name: /^List/ }).click(),
  ];
  const seen = [tab.address];
  for (const step of steps) {
    await step();
    await page.waitForURL((url) => url.pathname + url.search !== seen.at(-1));
    seen.push(tab.address);
  }
  const failuresOnly = async () =>
    await page.getByRole("button", { name: /^Failures only/ }).getAttribute("aria-pressed");
  for (const address of seen.slice(0, -1).reverse()) {
    await page.goBack();
    await expect.poll(() => tab.address).toBe(address);
  }
  await expect.poll(failuresOnly).toBe("false");
  for (const address of seen.slice(1)) {
    await page.goForward();
    await expect.poll(() => tab.address).toBe(address);
  }
  await expect.poll(failuresOnly).toBe("true");
  await page.getByRole("region", { name: "Step charge" }).waitFor();
});

test("filters of runs are undone by going back", async ({ open }) => {
  const tab = await open();
  await tab.go("/runs");
  await tab.page.getByRole("button", { name: /^Failed/ }).click();
  await tab.page.waitForURL(/status=failed/);
  await tab.page.getByRole("button", { name: /^Blocked/ }).click();
  await tab.page.waitForURL(/status=\w+(,|%2C)\w+/);
  await tab.page.goBack();
  const status = () => new URL(tab.page.url()).searchParams.get("status");
  await expect.poll(status).toBe("failed");
  await tab.page.goBack();
  await expect.poll(() => tab.address).toBe("/runs");
});
