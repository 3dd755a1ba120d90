/** Dark and light follow the system or the switch; who wants no motion gets none. */

import type { Page } from "playwright-core";
import { expect, runOf, test } from "../harness/test.ts";
import { IMPORT, RUNS } from "../workshop/observed.ts";

const ground = async (page: Page) =>
  await page.evaluate(() => getComputedStyle(document.body).backgroundColor);

const LIGHT = "rgb(246, 247, 247)";
const DARK = "rgb(11, 15, 17)";

test("the theme follows the system, and changes with it", async ({ open }) => {
  const tab = await open({ theme: "dark" });
  await tab.go("/runs");
  expect(await ground(tab.page)).toBe(DARK);
  await tab.page.emulateMedia({ colorScheme: "light" });
  expect(await ground(tab.page)).toBe(LIGHT);
});

test("a theme that was chosen wins over the system, also after a reload", async ({ open }) => {
  const tab = await open({ theme: "light" });
  await tab.go("/runs");
  const change = tab.page.getByRole("button", { name: /^Theme:/ });
  await expect
    .poll(async () => {
      if ((await ground(tab.page)) !== DARK) await change.click();
      return await ground(tab.page);
    })
    .toBe(DARK);
  await tab.page.reload();
  expect(await ground(tab.page)).toBe(DARK);
});

for (const view of ["list", "graph", "timeline"]) {
  test(`nothing moves in the ${view} of who wants no motion`, async ({ open }) => {
    const still = await open({ reducedMotion: true });
    await still.go(`/runs/${runOf("running")}/${view}`);
    await still.page.getByText("ship").first().waitFor();
    expect(await movements(still.page)).toEqual([]);
  });
}

test("a running step is alive for who wants motion", async ({ open }) => {
  const tab = await open();
  await tab.go(`/runs/${runOf("running")}/list`);
  await tab.page.getByText("ship").first().waitFor();
  await expect.poll(async () => (await movements(tab.page)).length).toBeGreaterThan(0);
});

/** Names animations that go on without end. */
async function movements(page: Page): Promise<readonly string[]> {
  return await page.evaluate(() =>
    document
      .getAnimations()
      .filter((one) => one.playState === "running")
      .filter((one) => one.effect?.getComputedTiming().iterations === Number.POSITIVE_INFINITY)
      .map((one) => (one instanceof CSSAnimation ? one.animationName : one.id)),
  );
}

test("shapes tell the statuses where colours are forced", async ({ open }) => {
  const tab = await open();
  await tab.page.emulateMedia({ forcedColors: "active" });
  await tab.go(`/runs/${runOf("failed")}/list`);
  const glyph = tab.page.getByRole("grid").getByRole("img", { name: "failed" }).first();
  await glyph.waitFor();
  const { color, text } = await glyph.evaluate((node) => {
    const probe = document.createElement("span");
    probe.className = "probe";
    probe.style.color = "CanvasText";
    document.body.append(probe);
    const found = { color: getComputedStyle(node).color, text: getComputedStyle(probe).color };
    probe.remove();
    return found;
  });
  expect(color).toBe(text);
});

for (const width of [1440, 1024, 390]) {
  test(`no page scrolls sideways at ${width}`, async ({ open }) => {
    const tab = await open({ width, height: 844, touch: width === 390 });
    const run = `/runs/${runOf("failed")}`;
    const observed = `/flows/${IMPORT}/runs/${encodeURIComponent(RUNS.failed)}`;
    const paths = [
      "/runs",
      `${run}/list`,
      `${run}/graph`,
      `${run}/timeline`,
      `${run}/log`,
      "/events",
      "/runners",
      "/flows",
      "/flows/import-orders",
      "/flows/nightly-report",
      `${observed}/list`,
      `${observed}/graph`,
      `${observed}/timeline`,
      "/access",
      "/access/namespaces",
      "/access/audit",
      "/reference?op=startRun",
    ];
    const wide: string[] = [];
    for (const path of paths) {
      await tab.go(path);
      const over = await tab.page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      if (over > 0) wide.push(`${path}: ${over} px`);
    }
    expect(wide).toEqual([]);
  });
}
