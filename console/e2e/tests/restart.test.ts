/** The server goes away and comes back: the page says so, and shows what happened meanwhile, by itself. */

import { afterAll, beforeAll } from "vitest";
import { Site } from "../harness/site.ts";
import { expect, test } from "../harness/test.ts";

let site: Site;

beforeAll(async () => {
  site = await Site.start();
  await site.stage.crew.start(["shop"]);
});

afterAll(async () => await site.end());

test("a page outlives its server and loses no change", async ({ open }) => {
  const { stepwell } = site.stage;
  const input = { lorry: "NL-77-K4", pallets: 8, eachMs: 40 };
  const run = await stepwell.start("unloading", input, { app: "shop" });
  const tab = await open({ site: site.url });
  // A server that is away is told by the browser too.
  tab.allow(/Failed to load resource|ERR_|status of 50\d/);
  await tab.go(`/runs/${run.id}/list`);
  await tab.page.getByRole("grid").getByText("free dock").waitFor();
  await tab.says("Live");

  await site.server.kill();
  await tab.page
    .getByText(/Reconnecting/)
    .first()
    .waitFor();
  await tab.page.getByText(/As of/).first().waitFor();

  await site.server.begin();
  // At once, before the page has found the server again.
  await stepwell.send("dock.free", { lorry: input.lorry });
  await run.wait();
  await tab.says("Live");
  await tab.page.getByRole("grid").getByText("pallet 8").waitFor();
  await tab.page
    .getByRole("main")
    .getByText(/Completed/)
    .first()
    .waitFor();
  expect(tab.address).toBe(`/runs/${run.id}/list`);
});
