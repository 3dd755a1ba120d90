/** Tests with a tab of the console: what must not happen in a tab fails the test that opened it. */

import { type Browser, chromium } from "playwright-core";
import { expect, inject, test as plain } from "vitest";
import { Crew } from "../workshop/crew.ts";
import { type SceneName, type Stage, stageOn } from "../workshop/story.ts";
import type { Start } from "./server.ts";
import { Site } from "./site.ts";
import { Tab, type TabOptions } from "./tab.ts";

interface Fixtures {
  readonly browser: Browser;
  /** Starts a site of the test's own, which ends after its tabs. */
  readonly startSite: (start?: Start) => Promise<Site>;
  /** Opens a tab; of the shared site unless another one is named. */
  readonly open: (options?: TabOptions & { readonly site?: string }) => Promise<Tab>;
  /** The shared server, and a crew for more runners, which end with the test. */
  readonly stage: Stage;
}

/** A test with its fixtures. */
export const test = plain.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: the names of what a fixture uses are read from here
  browser: async ({}, use) => {
    const browser = await chromium.connect(inject("browser"));
    await use(browser);
    await browser.close();
  },
  // biome-ignore lint/correctness/noEmptyPattern: see above
  startSite: async ({}, use) => {
    const sites: Site[] = [];
    await use(async (start) => {
      const site = await Site.start(start);
      sites.push(site);
      return site;
    });
    await Promise.all(sites.map(async (site) => await site.end()));
  },
  // It names `startSite` so that tabs end before what they look at does.
  open: async ({ browser, startSite: _ }, use) => {
    const tabs: Tab[] = [];
    await use(async ({ site = inject("site"), ...options } = {}) => {
      const tab = await Tab.open(browser, site, options);
      tabs.push(tab);
      return tab;
    });
    const faults = await Promise.all(tabs.map(async (tab) => await tab.end()));
    expect([...new Set(faults.flat())], "what must not happen in a tab").toEqual([]);
  },
  // biome-ignore lint/correctness/noEmptyPattern: see above
  stage: async ({}, use) => {
    const crew = new Crew(inject("server"));
    await use(stageOn(crew));
    await crew.end();
  },
});

/** Returns the id of the run of a scene. */
export function runOf(scene: SceneName): string {
  const id = inject("runs")[scene];
  if (id === undefined) throw new Error(`the day has no scene ${scene}`);
  return id;
}

/** Prints a figure that a test has measured. */
export function figure(name: string, value: string): void {
  process.stdout.write(`  ${name}: ${value}\n`);
}

export { expect };
