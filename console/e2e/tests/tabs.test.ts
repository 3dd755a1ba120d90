/** Three tabs of one window share one stream of changes; when the tab that holds it closes, another one does. */

import { afterAll, beforeAll, inject } from "vitest";
import { Pages } from "../harness/pages.ts";
import { servesPages } from "../harness/site.ts";
import { expect, test } from "../harness/test.ts";

let pages: Pages;

beforeAll(async () => {
  pages = await Pages.start(inject("server"), await servesPages(inject("server")));
});

afterAll(async () => await pages.end());

test("three tabs are live on one stream, and the leader hands over", async ({ open, stage }) => {
  const first = await open({ site: pages.url });
  const tabs = [first, await first.beside(), await first.beside()];
  const runs = await Promise.all(
    tabs.map(async (_, n) => {
      const input = { lorry: `NL-${n}-TABS`, pallets: 2, eachMs: 30 };
      return await stage.stepwell.start("unloading", input, { app: "shop" });
    }),
  );
  for (const [n, tab] of tabs.entries()) {
    await tab.go(`/runs/${runs[n]?.id}/list`);
    await tab.page.getByRole("grid").getByText("free dock").waitFor();
    await tab.says("Live");
  }
  await expect.poll(() => pages.streams).toBe(1);

  await stage.stepwell.send("dock.free", { lorry: "NL-1-TABS" });
  await tabs[1]?.page.getByRole("grid").getByText("pallet 2").waitFor();
  await expect.poll(() => pages.streams).toBe(1);

  await first.page.close();
  await stage.stepwell.send("dock.free", { lorry: "NL-2-TABS" });
  await tabs[2]?.page.getByRole("grid").getByText("pallet 2").waitFor();
  await tabs[1]?.says("Live");
  await expect.poll(() => pages.streams).toBe(1);
});
