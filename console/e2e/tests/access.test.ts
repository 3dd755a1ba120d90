/** Keys, namespaces and the audit log, on a server that asks for keys: what each role sees, and what acts do. */

import type { Page } from "playwright-core";
import type { Site } from "../harness/site.ts";
import type { Tab, TabOptions } from "../harness/tab.ts";
import { expect, test } from "../harness/test.ts";

type Open = (options?: TabOptions & { readonly site?: string }) => Promise<Tab>;

/** Opens a page of a site with a key. */
async function signIn(open: Open, site: Site, key: string, path: string): Promise<Tab> {
  const tab = await open({ site: site.url, stored: { by: "Hanna Okafor" } });
  // What asks who is there is refused until the key is shown.
  tab.allow(/status of 401/);
  // A stream is cut off with its key.
  tab.allow(/ERR_INCOMPLETE_CHUNKED_ENCODING/);
  await tab.go(path);
  await tab.page.getByLabel("Key", { exact: true }).fill(key);
  await tab.page.keyboard.press("Enter");
  await tab.page.getByRole("navigation", { name: "Pages" }).waitFor();
  return tab;
}

/** Makes a key by the keyboard alone, and returns it. */
async function makeKey(page: Page, name: string, role: string): Promise<string> {
  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /^Make the key/ }).waitFor();
  // The focus is in the first empty field.
  await page.keyboard.type(name);
  await dialog.getByRole("radio", { name: new RegExp(`^${role} `) }).focus();
  await page.keyboard.press("Space");
  await dialog.getByLabel("Reason", { exact: true }).focus();
  await page.keyboard.type("for a test");
  await page.keyboard.press("Control+Enter");
  const made = dialog.getByLabel("The key", { exact: true });
  const key = (await made.textContent()) ?? "";
  // The focus is on what copies it.
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Copied" }).waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  return key;
}

const rowOf = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });

test("a key is made, used, rotated and revoked, and the log says who did it", async ({
  open,
  startSite,
}) => {
  const site = await startSite({ access: "keys" });
  const admin = await signIn(open, site, await site.server.adminKey(), "/runs");
  const { page } = admin;
  // Who has no runs yet is told to show a key.
  await page.getByText(/^STEPWELL_KEY=WORKER_KEY/).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await page.waitForURL((url) => url.pathname === "/access");
  await page.getByRole("table").waitFor();
  const key = await makeKey(page, "<b>night</b> watch", "viewer");
  expect(await rowOf(page, "<b>night</b> watch").textContent()).toContain("viewer");

  const viewer = await signIn(open, site, key, "/access");
  const why = "Your key has the role viewer; managing keys needs admin.";
  await viewer.page.getByText(why).first().waitFor();
  const make = viewer.page.getByRole("button", { name: /^Make a key/ });
  expect(await make.getAttribute("aria-disabled")).toBe("true");
  // A button that is off is pressed all the same, and then says why.
  await make.click({ force: true });
  expect(await viewer.page.getByRole("dialog").count()).toBe(0);

  await rowOf(page, "night")
    .getByRole("button", { name: /^Rotate/ })
    .click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason", { exact: true }).fill("every year");
  await dialog.getByRole("button", { name: /^Rotate the key/ }).click();
  const next = (await dialog.getByLabel("The key", { exact: true }).textContent()) ?? "";
  expect(next.startsWith(key.slice(0, 14))).toBe(true);
  expect(next).not.toBe(key);
  await dialog.getByRole("button", { name: "Copy the key" }).click();
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  await dialog.waitFor({ state: "detached" });

  await rowOf(page, "night")
    .getByRole("button", { name: /^Revoke/ })
    .click();
  await dialog.getByLabel("Reason", { exact: true }).fill("left on a train");
  await dialog.getByLabel(/^Type/).fill("<b>night</b> watch");
  await dialog.getByRole("button", { name: /^Revoke the key/ }).click();
  await dialog.waitFor({ state: "detached" });
  await expect.poll(async () => await rowOf(page, "night").textContent()).toContain("revoked");
  // Who had it is out, without a reload.
  await viewer.page.getByText("Your session has ended.").waitFor();

  await page.getByRole("link", { name: "Audit log" }).click();
  const acts = page.getByRole("grid");
  await acts.getByText("keys.revoke").waitFor();
  const said = await acts.getByRole("row").allTextContents();
  expect(said.slice(1).map((line) => /keys\.(revoke|rotate|create)/.exec(line)?.[1])).toEqual([
    "revoke",
    "rotate",
    "create",
    // The server's own: the first key.
    "create",
  ]);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await dialog.getByText("left on a train").waitFor();
  await dialog.getByText("6 asked, 7 answered").waitFor();
  await page.keyboard.press("Escape");
  await page.getByLabel("Filter by act").fill("keys.rotate");
  await page.waitForURL(/do=keys.rotate/);
  await expect.poll(async () => await acts.getByRole("row").count()).toBe(2);
});

test("a namespace is made and deleted, and its admins see what is theirs", async ({
  open,
  startSite,
}) => {
  const site = await startSite({ access: "keys" });
  const { page } = await signIn(open, site, await site.server.adminKey(), "/access/namespaces");
  await rowOf(page, "default").waitFor();
  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("shop");
  await page.keyboard.press("Control+Enter");
  await dialog.waitFor({ state: "detached" });
  await rowOf(page, "shop").waitFor();

  await page.goto(`${site.url}/access?act=make`);
  await dialog.getByLabel("Name", { exact: true }).fill("shop's admin");
  await dialog.getByRole("radio", { name: /^admin / }).check();
  await dialog.getByLabel("Namespace", { exact: true }).selectOption("shop");
  await dialog.getByLabel("Reason", { exact: true }).fill("it is theirs");
  await page.keyboard.press("Control+Enter");
  const key = (await dialog.getByLabel("The key", { exact: true }).textContent()) ?? "";
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  await dialog.getByText("It was not copied", { exact: false }).waitFor();
  await dialog.getByRole("button", { name: "Leave it all the same" }).click();
  await dialog.waitFor({ state: "detached" });

  const other = await signIn(open, site, key, "/access/namespaces");
  await other.page
    .getByText("managing namespaces needs admin in the namespace default.", { exact: false })
    .first()
    .waitFor();
  await other.page.getByRole("link", { name: "Keys" }).click();
  await rowOf(other.page, "shop's admin").waitFor();
  expect(await other.page.getByRole("row").count()).toBe(2);

  await page.goto(`${site.url}/access/namespaces`);
  await rowOf(page, "shop")
    .getByRole("button", { name: /^Delete/ })
    .click();
  await dialog.getByRole("button", { name: /^Delete the namespace/ }).click();
  await dialog.getByText("This is not its name").waitFor();
  await dialog.getByLabel("Reason", { exact: true }).fill("it moved");
  await dialog.getByLabel(/^Type/).fill("shop");
  await dialog.getByRole("button", { name: /^Delete the namespace/ }).click();
  await dialog.waitFor({ state: "detached" });
  await rowOf(page, "shop").waitFor({ state: "detached" });
  await other.page.getByText("Your session has ended.").waitFor();
});
