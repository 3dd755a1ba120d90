/**
 * 1,000 names and payloads that want to be more than text, in every view and in the inspector: none of their scripts
 * runs, nothing is asked of other hosts, no policy is violated (the tab sees to that), and names are shown as they are.
 */

import type { Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { Site } from "../harness/site.ts";
import { expect, figure, test } from "../harness/test.ts";
import { hostileName } from "../workshop/hostile.ts";
import { playHostile } from "../workshop/story.ts";

let site: Site;
let runs: readonly string[];

beforeAll(async () => {
  site = await Site.start();
  runs = await playHostile(site.stage);
});

afterAll(async () => await site.end());

test("steps of hostile runs are text in the inspector, on all its tabs", async ({ open }) => {
  const tab = await open({ site: site.url });
  let [names, panels] = [0, 0];
  for (const run of runs) {
    const { steps } = await site.stage.stepwell.run(run).show();
    await tab.go(`/runs/${run}/list`);
    const seen = await inspectAll(
      tab.page,
      steps.map(({ id }) => id),
    );
    names += seen.names;
    panels += seen.panels;
    expect(seen.wrong, "names that are not shown as they are").toEqual([]);
  }
  figure("hostile names inspected", `${names}, ${panels} panels`);
  expect(names).toBeGreaterThanOrEqual(1000);
});

test("views of hostile runs are text, from their begin to their end", async ({ open }) => {
  const tab = await open({ site: site.url });
  for (const view of ["list", "graph", "timeline"]) {
    for (const run of [runs[0], runs[5]]) {
      await tab.go(`/runs/${run}/${view}`);
      await scrollAll(tab.page);
      await tab.go(`/runs/${run}/${view}?q=${encodeURIComponent("<script>")}&failures=1`);
      await scrollAll(tab.page);
    }
  }
});

test("records of hostile runs are text, each of them opened", async ({ open }) => {
  const tab = await open({ site: site.url });
  await tab.go(`/runs/${runs[0]}/log`);
  await scrollAll(tab.page);
  for (let n = 1; n <= 60; n++) {
    await tab.page.evaluate((at) => {
      history.pushState(null, "", `${location.pathname}?n=${at}`);
      dispatchEvent(new PopStateEvent("popstate"));
    }, n);
    await tab.page.getByRole("dialog").getByText(`record ${n}`, { exact: true }).waitFor();
  }
});

test("pages that list hostile things are text", async ({ open }) => {
  const tab = await open({ site: site.url });
  const bad = encodeURIComponent(hostileName(1));
  const { events } = await site.stage.stepwell.events(hostileName(0));
  const paths = [
    "/runs",
    `/runs?app=${bad}&wf=${bad}&q=${bad}&key=${bad}&attr.${bad}=${bad}&status=${bad}`,
    `/runs/${bad}`,
    "/events",
    `/events?event=${encodeURIComponent(hostileName(0))}`,
    `/events/${encodeURIComponent(events[0]?.id ?? "")}`,
    "/runners",
    `/runners/${bad}`,
    `/access?q=${bad}`,
    `/access/namespaces?act=delete&of=${bad}`,
    `/access/audit?do=${bad}&key=${bad}&namespace=${bad}`,
    `/runs/${bad}/log`,
    `/runs/${runs[0]}/log?q=${bad}`,
    `/runs/${bad}/${bad}`,
    `/runs/new?wf=${bad}&app=${bad}`,
  ];
  // A run that is not there is answered so, and the browser says that.
  tab.allow(/status of 4\d\d/);
  for (const path of paths) {
    await tab.go(path);
    await scrollAll(tab.page);
  }
});

interface Seen {
  readonly names: number;
  readonly panels: number;
  readonly wrong: readonly string[];
}

/** Selects each step by its address, and two tabs of its inspector; gives how much was seen. */
async function inspectAll(page: Page, ids: readonly string[]): Promise<Seen> {
  return await page.evaluate(async (all) => {
    const wrong: string[] = [];
    let [panels, turned] = [0, 0];
    const turn = async () => await new Promise((resolve) => setTimeout(resolve));
    const until = async (isSo: () => boolean) => {
      const end = performance.now() + 10_000;
      while (!isSo() && performance.now() < end) await turn();
      return isSo();
    };
    // Characters that would turn the text around are shown as a mark.
    const plain = (text: string) =>
      text
        .replace(/[\u202a-\u202e\u2066-\u2069\ufffd]/g, "")
        .replace(/\s+/g, " ")
        .trim();
    for (const id of all) {
      history.pushState(null, "", `${location.pathname}?step=${encodeURIComponent(id)}`);
      dispatchEvent(new PopStateEvent("popstate"));
      const head = () => plain(document.querySelector(".inspector h2 bdi")?.textContent ?? "");
      const isMade = id.includes("\u001f");
      if (!(await until(() => isMade || head() === plain(id)))) wrong.push(`${id} as ${head()}`);
      // Two tabs of each, others of the next one: each payload is there twenty times, so every tab has it.
      const tabs = document.querySelectorAll<HTMLElement>(".inspector [role=tab]");
      for (const by of [0, 1]) {
        tabs[(turned + by) % tabs.length]?.click();
        await turn();
        panels += 1;
      }
      turned += 1;
    }
    return { names: all.length, panels, wrong };
  }, ids);
}

/** Scrolls everything on the page that scrolls to its end, so that rows which are drawn late are drawn. */
async function scrollAll(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const frame = async () => await new Promise(requestAnimationFrame);
    await frame();
    for (const one of document.querySelectorAll("*")) {
      if (one.scrollHeight <= one.clientHeight + 1 || one.clientHeight === 0) continue;
      const by = Math.max(one.clientHeight * 0.8, one.scrollHeight / 60);
      for (let top = 0; top < one.scrollHeight; top += by) {
        one.scrollTop = top;
        await frame();
      }
    }
  });
}
