/** Statuses of steps in the words of other systems: the same signs, other words, and the API is asked as ever. */

import type { Page } from "playwright-core";
import { expect, runOf, test } from "../harness/test.ts";
import { IMPORT, RUNS } from "../workshop/observed.ts";

/** The words that stand in the rows. */
async function words(page: Page): Promise<readonly string[]> {
  return await page.locator(".step-word").allTextContents();
}

/** How the signs of steps are drawn: their shapes and hues. */
async function signs(page: Page): Promise<readonly string[]> {
  return await page
    .locator("main .row .glyph")
    .evaluateAll((all) =>
      all.map(
        (one) => `${one.getAttribute("class")} ${one.querySelector("path,circle")?.outerHTML}`,
      ),
    );
}

/** What is asked of the API with the parameter of the console's addresses. */
function askedWith(page: Page): readonly string[] {
  const found: string[] = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.pathname.startsWith("/api/") && url.searchParams.has("dialect")) found.push(url.href);
  });
  return found;
}

test("an address chooses the words of each view, and no other page loses them", async ({
  open,
}) => {
  const tab = await open();
  const { page } = tab;
  const asked = askedWith(page);
  await tab.go(`/runs/${runOf("failed")}/list`);
  await page.locator(".row-step").first().waitFor();
  expect(await words(page)).toEqual([]);
  const drawn = await signs(page);

  await tab.go(`/runs/${runOf("failed")}/list?dialect=loops`);
  await page.locator(".step-word").first().waitFor();
  const found = await words(page);
  expect(new Set(found)).toEqual(new Set(["succeeded", "failed"]));
  expect(found).toHaveLength(await page.locator(".row-step").count());
  expect(await signs(page)).toEqual(drawn);
  await page.getByRole("img", { name: "succeeded (skipped)" }).first().waitFor();

  for (const key of ["2", "3"]) {
    await page.keyboard.press(key);
    await page.waitForURL((url) => url.searchParams.get("dialect") === "loops");
    await expect.poll(async () => new Set(await words(page))).toEqual(new Set(found));
  }
  // The page of another run, whose address names nobody.
  await tab.go(`/runs/${runOf("waiting")}/list?step=approval`);
  await page.getByText("Running: waiting").waitFor();
  await page.getByRole("img", { name: "running (waiting)" }).first().waitFor();
  await tab.go("/runs?kind=all&dialect=questpie");
  await page.getByRole("grid").waitFor();
  expect(asked).toEqual([]);
});

test("the setting is reached and changed by keys", async ({ open }) => {
  const tab = await open();
  const { page } = tab;
  await tab.go(`/runs/${runOf("failed")}/list`);
  await page.locator(".row-step").first().waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("status words quest");
  await page.getByRole("option", { name: /Status words: QUESTPIE/ }).waitFor();
  await page.keyboard.press("Enter");
  await tab.dialogGone();
  await expect
    .poll(async () => new Set(await words(page)))
    .toEqual(new Set(["completed", "failed"]));

  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("settings");
  await page.getByRole("option", { name: /^Settings/ }).waitFor();
  await page.keyboard.press("Enter");
  const field = page.getByLabel("Status words");
  await field.waitFor();
  expect(await field.inputValue()).toBe("questpie");
  await field.focus();
  await page.keyboard.type("Fail");
  await expect.poll(async () => await field.inputValue()).toBe("failpath");
  await page.keyboard.press("Escape");
  await tab.dialogGone();
  await expect
    .poll(async () => new Set(await words(page)))
    .toEqual(new Set(["success", "skipped", "error"]));
  // It is kept.
  await page.reload();
  await page.locator(".step-word").first().waitFor();
  expect(new Set(await words(page))).toEqual(new Set(["success", "skipped", "error"]));
});

test("observed steps have the words, and keep what none of the systems knows", async ({ open }) => {
  const tab = await open();
  const { page } = tab;
  const asked = askedWith(page);
  const run = `/flows/${IMPORT}/runs/${encodeURIComponent(RUNS.failed)}`;
  await tab.go(`${run}/list?dialect=failpath&step=write`);
  await page.locator(".step-word").first().waitFor();
  expect(new Set(await words(page))).toEqual(new Set(["success", "error"]));
  await page.getByText(/^Error: failed at/).waitFor();
  for (const name of ["success (completed)", "error (failed)", "missing", "not reached"]) {
    await page.getByRole("img", { name, exact: true }).first().waitFor();
  }
  await tab.go(`/flows/${IMPORT}`);
  await page
    .getByText(/^\d+ success$/)
    .first()
    .waitFor();
  expect(asked).toEqual([]);
});
