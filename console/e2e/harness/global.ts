/** What all test files share: one server on which the day was played, one Chromium. */

import type { TestProject } from "vitest/node";
import { play } from "../workshop/story.ts";
import { launchChromium } from "./browser.ts";
import { playJobs } from "./jobs.ts";
import { playKeys } from "./keys.ts";
import { Site } from "./site.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the console is. */
    site: string;
    /** Where the server is. */
    server: string;
    /** Where the browser is. */
    browser: string;
    /** The runs of the day by their scenes. */
    runs: Readonly<Record<string, string>>;
  }
}

/** Starts both before the first test; what it returns ends them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const browser = await launchChromium();
  const site = await Site.start();
  const end = async () => {
    await browser.close();
    await site.end();
  };
  try {
    const runs = await play(site.stage);
    await playKeys(site.server.url);
    await playJobs(site.server.url);
    project.provide("site", site.url);
    project.provide("server", site.server.url);
    project.provide("browser", browser.wsEndpoint());
    project.provide("runs", Object.fromEntries([...runs].map(([name, { id }]) => [name, id])));
    return end;
  } catch (error) {
    await end();
    throw error;
  }
}
