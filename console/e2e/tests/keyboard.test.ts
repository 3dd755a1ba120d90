/** All of it by keys alone: from the list of runs to a step's attempts, to an act, and back. */

import { expect, runOf, test } from "../harness/test.ts";
import { order } from "../workshop/people.ts";
import { until } from "../workshop/story.ts";

test("from the list to a step's attempts, to an act and back, without a mouse", async ({
  open,
  stage,
}) => {
  const base = order(400);
  const customer = { ...base.customer, country: "AQ" };
  const input = { ...base, carrier: "polar", customer };
  const run = await stage.stepwell.start("checkout", input, { app: "shop", key: base.orderId });
  await until(run, "failed", ({ status }) => status === "failed");
  const tab = await open({ stored: { by: "Hanna Okafor" } });
  const { page } = tab;
  const { keyboard } = page;

  await tab.go(`/runs?app=shop&status=failed&attr.orderId=${base.orderId}`);
  await page.getByText("CarrierError").or(page.getByText("checkout")).first().waitFor();
  await keyboard.press("j");
  await keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname.startsWith(`/runs/${run.id}`));

  await keyboard.press("1");
  await page.getByRole("grid").getByText("CarrierError").first().waitFor();
  await keyboard.press("n");
  await page.waitForURL(/step=ship/);
  await keyboard.press("i");
  await keyboard.press("i");
  const attempts = page.getByRole("tab", { name: /^Attempts/ });
  await attempts.waitFor();
  const at = (await page.getByRole("tab").allTextContents()).findIndex((text) =>
    text.startsWith("Attempts"),
  );
  await keyboard.press(`Alt+${at + 1}`);
  await page.waitForURL(/tab=attempts/);
  await expect.poll(async () => await attempts.getAttribute("aria-selected")).toBe("true");

  await keyboard.press("r");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  // The focus is in the first empty field, and does not leave the dialog.
  await dialog.getByLabel("Reason", { exact: true }).focus();
  await keyboard.type("polar is closed");
  await keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.waitForURL((url) => !url.searchParams.has("act"));

  await keyboard.press("r");
  await dialog.waitFor();
  await dialog.getByLabel("Reason", { exact: true }).focus();
  await keyboard.type("polar is closed");
  await keyboard.press("Control+Enter");
  await page.waitForURL((url) => !url.pathname.includes(run.id));
  // Behind a dialog there are no keys.
  await tab.dialogGone();

  await keyboard.press("g");
  await keyboard.press("r");
  await page.waitForURL((url) => url.pathname === "/runs");
});

test("the palette finds a page, a step and an act", async ({ open }) => {
  const tab = await open();
  const { page } = tab;
  await tab.go(`/runs/${runOf("failed")}/list`);
  await page.keyboard.press("Control+k");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await page.keyboard.type("label");
  await dialog.getByRole("option", { name: /label/ }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/step=label/);
  await dialog.waitFor({ state: "detached" });
});

test("keys are silent while a field has the focus", async ({ open }) => {
  const tab = await open();
  await tab.go(`/runs/${runOf("failed")}/list`);
  await tab.page.keyboard.press("/");
  await tab.page.keyboard.type("3ship");
  await tab.page.waitForURL((url) => url.searchParams.get("q") === "3ship");
  expect(new URL(tab.page.url()).pathname).toContain("/list");
});

test("the focus is seen wherever Tab goes, and comes around", async ({ open }) => {
  const tab = await open();
  await tab.go(`/runs/${runOf("failed")}/list?step=ship`);
  const unseen: string[] = [];
  for (let n = 0; n < 40; n++) {
    await tab.page.keyboard.press("Tab");
    const found = await tab.page.evaluate(() => {
      const one = document.activeElement;
      if (one === null || one === document.body) return null;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
      const around = one.closest("label");
      const ring = around === null ? "none" : getComputedStyle(around).outlineStyle;
      const isSeen =
        (outlineStyle !== "none" && outlineWidth !== "0px") ||
        boxShadow !== "none" ||
        ring !== "none";
      return isSeen ? null : one.outerHTML.slice(0, 120);
    });
    if (found !== null) unseen.push(found);
  }
  expect([...new Set(unseen)]).toEqual([]);
});
