/** No page, view or dialog has a serious or critical finding of axe, in light and in dark. */

import axe from "axe-core";
import { places } from "../harness/places.ts";
import type { Tab } from "../harness/tab.ts";
import { expect, runOf, test } from "../harness/test.ts";

/** What another theme may change. */
const COLOURS = ["color-contrast", "link-in-text-block"];

const { pages, dialogs } = places(runOf);

for (const [what, all] of Object.entries({ pages, dialogs })) {
  test(`${what} have no serious finding of axe, in light and in dark`, async ({
    open: openTab,
  }) => {
    const tab = await openTab({ reducedMotion: true });
    tab.allow(/status of 404/);
    const found: string[] = [];
    for (const { name, path, open } of all) {
      await tab.page.emulateMedia({ colorScheme: "light" });
      await tab.go(path());
      await open?.(tab);
      for (const finding of await findings(tab)) found.push(`${name}: ${finding}`);
      await tab.page.emulateMedia({ colorScheme: "dark" });
      for (const finding of await findings(tab, COLOURS)) found.push(`${name}, dark: ${finding}`);
    }
    expect(found).toEqual([]);
  });
}

test("a phone has no serious finding of axe", async ({ open: openTab }) => {
  const tab = await openTab({ width: 390, height: 844, touch: true, reducedMotion: true });
  tab.allow(/status of 404/);
  const found: string[] = [];
  for (const { name, path } of pages) {
    await tab.go(path());
    for (const finding of await findings(tab)) found.push(`${name}: ${finding}`);
  }
  expect(found).toEqual([]);
});

/** Runs axe in the page; what it loads is evaluated beside the page's policy, and asks for nothing. */
async function findings({ page }: Tab, rules?: readonly string[]): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const only = rules === undefined ? {} : { runOnly: [...rules] };
  return await page.evaluate(async (options) => {
    const { violations } = await window.axe.run(document, {
      resultTypes: ["violations"],
      ...options,
    });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => {
        const [first] = nodes;
        return `${id}, ${nodes.length} times: ${first?.html.slice(0, 160)} ${first?.failureSummary ?? ""}`;
      });
  }, only);
}

declare global {
  interface Window {
    axe: typeof axe;
  }
}
