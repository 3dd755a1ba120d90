/** A server that was restored from a backup: its runs are held until somebody lets them go. */

import { basename } from "node:path";
import { expect, test } from "../harness/test.ts";

test("a restored server says that its runs are held, until they are let go", async ({
  open,
  startSite,
}) => {
  const original = await startSite();
  const backup = await original.server.backUp();
  const restored = await startSite({ backup });
  const status = async () => {
    const answer = await fetch(`${restored.server.url}/healthz`);
    return ((await answer.json()) as { readonly status: string }).status;
  };
  expect(await status()).toBe("held");
  const tab = await open({ site: restored.url });
  const { page } = tab;
  await tab.go("/runs");
  const banner = page.getByRole("region", { name: "Runs are held" });
  await banner.getByText(basename(backup)).waitFor();
  // It is on every page, of every tab.
  await tab.go("/events");
  await banner.waitFor();
  const other = await tab.beside();
  await other.go("/runners");
  const there = other.page.getByRole("region", { name: "Runs are held" });
  await there.waitFor();

  await banner.getByRole("button", { name: "Let the runs go" }).click();
  const dialog = page.getByRole("dialog");
  await page.keyboard.press("Control+Enter");
  await dialog.getByText("This is not its name").waitFor();
  expect(await status()).toBe("held");
  await dialog.getByLabel(/^Type/).fill(basename(backup));
  await page.keyboard.press("Control+Enter");
  await tab.dialogGone();
  await banner.waitFor({ state: "detached" });
  expect(await status()).toBe("ok");
  // Others see that somebody has let them go.
  await there.waitFor({ state: "detached" });
  await tab.go("/runs");
  await page.getByText("No runs yet.").waitFor();
  expect(await banner.count()).toBe(0);
});

test("a server that was not restored says nothing of it", async ({ open }) => {
  const tab = await open();
  await tab.go("/runs");
  await tab.page.getByRole("grid").waitFor();
  expect(await tab.page.getByRole("region", { name: "Runs are held" }).count()).toBe(0);
});
