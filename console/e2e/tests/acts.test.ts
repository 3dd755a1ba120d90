/** Every act of an operator, done in the page and checked through the API: what it did, by whom and why. */

import type { Tab } from "../harness/tab.ts";
import { expect, test } from "../harness/test.ts";
import { DEAR, order } from "../workshop/people.ts";
import type { RunHandle, RunView } from "../workshop/sdk.ts";
import { SCENES, STAGED, type Stage, until } from "../workshop/story.ts";

const BY = "Hanna Okafor";

/** Says why, and does it: the dialog closes once the server has said that the act is durable. */
async function sign({ page }: Tab, verb: string, reason: string): Promise<void> {
  const dialog = page.getByRole("dialog");
  const name = dialog.getByLabel("Your name");
  if ((await name.count()) > 0) await name.fill(BY);
  await dialog.getByLabel("Reason", { exact: true }).fill(reason);
  await dialog.getByRole("button", { name: new RegExp(`^${verb}`) }).click();
  await dialog.waitFor({ state: "detached" });
}

/** A run that waits for the approval of an order nobody else has. */
async function waiting({ stepwell }: Stage, n: number): Promise<RunHandle> {
  const input = order(n, { items: DEAR });
  const run = await stepwell.start("checkout", input, { app: "shop", key: input.orderId });
  // The step waits first; the run does once its code has nothing left to do.
  const stands = ({ status, steps }: RunView) =>
    status === "waiting" && steps.some((one) => one.status === "waiting" && one.id === "approval");
  await until(run, "waiting", stands);
  return run;
}

function noted({ history }: RunView, what: string, reason: string): boolean {
  return history.some((note) => note.what === what && note.by === BY && note.detail === reason);
}

test("a run is cancelled with its reason", async ({ open, stage }) => {
  const run = await waiting(stage, 300);
  const tab = await open();
  await tab.go(`/runs/${run.id}/list`);
  await tab.page.getByRole("button", { name: /^Cancel/ }).click();
  await sign(tab, "Cancel the run", "ordered twice");
  const view = await until(run, "cancelled", ({ status }) => status === "cancelled");
  expect(noted(view, "cancelled", "ordered twice")).toBe(true);
  await tab.page.getByRole("grid").getByText("ordered twice").waitFor();
});

test("a run is paused and resumed", async ({ open, stage }) => {
  const run = await waiting(stage, 301);
  const tab = await open();
  await tab.go(`/runs/${run.id}/list`);
  await tab.page.getByRole("button", { name: /^Pause/ }).click();
  await sign(tab, "Pause the run", "the address is checked");
  expect((await run.show()).paused).toMatchObject({ by: BY, reason: "the address is checked" });
  // The act that moves the run is the one filled button, in the sentence.
  await tab.page
    .getByRole("button", { name: /^Resume/ })
    .first()
    .click();
  await sign(tab, "Resume the run", "the address is right");
  const view = await run.show();
  expect(view.paused).toBe(null);
  expect(noted(view, "resumed", "the address is right")).toBe(true);
});

test("a backoff is cut short", async ({ open, stage }) => {
  const run = await SCENES.retrying(stage);
  const tab = await open();
  await tab.go(`/runs/${run.id}/list`);
  await tab.page
    .getByRole("button", { name: /^Retry now/ })
    .first()
    .click();
  await sign(tab, "Retry now", "the batch is open");
  const view = await until(
    run,
    "tried again",
    ({ steps }) => (steps[0]?.attempts.length ?? 0) >= 2,
  );
  expect(noted(view, "retried", "the batch is open")).toBe(true);
});

test("a run is started again with an edited input", async ({ open, stage }) => {
  const source = await SCENES.failed(stage);
  const tab = await open();
  await tab.go(`/runs/${source.id}/list`);
  await tab.page.getByRole("button", { name: /^Rerun/ }).click();
  const input = tab.page.getByRole("dialog").getByRole("textbox", { name: "As JSON", exact: true });
  await input.fill((await input.inputValue()).replace('"polar"', '"northline"'));
  await tab.page.getByRole("dialog").getByText("1 change").first().waitFor();
  await sign(tab, "Start it again", "polar is closed");
  await tab.page.waitForURL((url) => !url.pathname.includes(source.id));
  const run = stage.stepwell.run(runIn(tab));
  await run.wait();
  const view = await run.show();
  expect(view).toMatchObject({ rerunOf: source.id, status: "completed" });
  expect(view.input).toMatchObject({ carrier: "northline" });
  expect(JSON.stringify(view.history)).toContain("polar is closed");
});

test("a run is forked with an edited output", async ({ open, stage }) => {
  const source = await SCENES.large(stage);
  const tab = await open();
  await tab.go(`/runs/${source.id}/list?act=fork&step=rows`);
  const dialog = tab.page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Edit the output of category tree" }).click();
  await dialog.getByLabel("Output of category tree").fill("null");
  await sign(tab, "Fork the run", "the tree was wrong");
  await tab.page.waitForURL((url) => !url.pathname.includes(source.id));
  const run = stage.stepwell.run(runIn(tab));
  expect(await run.wait()).toMatchObject({ depth: 0 });
  const view = await run.show();
  expect(view).toHaveProperty("forkedFrom", { run: source.id, step: "rows" });
  expect(JSON.stringify(view.history)).toContain("the tree was wrong");
});

test("the event that a run waits for is sent, filled in from its wait", async ({ open, stage }) => {
  const run = await waiting(stage, 302);
  const tab = await open();
  await tab.go(`/runs/${run.id}/list`);
  await tab.page
    .getByRole("button", { name: /^Send this event/ })
    .first()
    .click();
  const dialog = tab.page.getByRole("dialog");
  expect(await dialog.getByLabel("Event", { exact: true }).inputValue()).toBe("approval.decided");
  const match = { orderId: order(302).orderId };
  expect(JSON.parse(await dialog.getByLabel("Match", { exact: true }).inputValue())).toEqual(match);
  await dialog
    .getByLabel("Data", { exact: true })
    .fill(JSON.stringify({ ...match, approved: true, by: BY }));
  await dialog.getByRole("button", { name: /^Send the event/ }).click();
  await dialog.waitFor({ state: "detached" });
  await run.wait();
  await tab.page.getByRole("main").getByText("Completed").first().waitFor();
});

test("a run is terminated once its name was typed", async ({ open, stage }) => {
  const run = await waiting(stage, 303);
  const tab = await open();
  await tab.go(`/runs/${run.id}/list`);
  await tab.page.getByRole("button", { name: "More acts" }).click();
  await tab.page.getByRole("menuitem", { name: /^Terminate/ }).click();
  const dialog = tab.page.getByRole("dialog");
  await dialog.getByRole("button", { name: /^Terminate the run/ }).click();
  // Nothing was typed: it stays, and nothing is done.
  expect((await run.show()).status).toBe("waiting");
  await dialog.getByLabel(/^Type .*checkout.* to go on/).fill("checkout");
  await sign(tab, "Terminate the run", "test order");
  const view = await until(run, "cancelled", ({ status }) => status === "cancelled");
  expect(noted(view, "terminated", "test order")).toBe(true);
});

test("a run that has ended is deleted, and its page is left", async ({ open, stage }) => {
  const run = await waiting(stage, 304);
  await run.cancel({ reason: "test order" });
  await until(run, "cancelled", ({ status }) => status === "cancelled");
  const tab = await open();
  // The page asks once more for what is gone.
  tab.allow(/status of 404/);
  await tab.go(`/runs/${run.id}/list`);
  await tab.page.getByRole("button", { name: "More acts" }).click();
  await tab.page.getByRole("menuitem", { name: /^Delete/ }).click();
  const dialog = tab.page.getByRole("dialog");
  await dialog.getByLabel("Reason", { exact: true }).fill("test order");
  await dialog.getByLabel(/^Type .*checkout.* to go on/).fill("checkout");
  await tab.page.keyboard.press("Control+Enter");
  await tab.page.waitForURL((url) => url.pathname === "/runs");
  await tab.go(`/runs/${run.id}`);
  await tab.page.getByRole("heading", { name: /^No run/ }).waitFor();
});

test("a run is started by the form of its schema", async ({ open, stage }) => {
  const tab = await open();
  await tab.go("/runs/new?app=shop&wf=price-audit");
  const dialog = tab.page.getByRole("dialog");
  await dialog.getByLabel(/^articles/i).fill("12");
  await dialog.getByLabel(/^missing/i).fill("1");
  await dialog.getByRole("button", { name: /^Start the run/ }).click();
  await tab.page.waitForURL(/\/runs\/run_/);
  const run = stage.stepwell.run(runIn(tab));
  expect(await run.wait()).toMatchObject({ compared: 11, failed: 1 });
});

test("an input that does not fit its schema is refused with its path", async ({ open }) => {
  const tab = await open();
  tab.allow(/status of 422/);
  await tab.go("/runs/new?app=shop&wf=price-audit");
  const dialog = tab.page.getByRole("dialog");
  await dialog.getByLabel(/^articles/i).fill("2000");
  await dialog.getByRole("button", { name: /^Start the run/ }).click();
  await dialog
    .getByText(/1,?000/)
    .first()
    .waitFor();
  expect(tab.address).toContain("/runs/new");
});

test("an outcome that nobody knows is resolved", async ({ open, startSite }) => {
  // Its runner is killed: that is done on a server of its own.
  const site = await startSite();
  const run = await STAGED.unknown(site.stage);
  const tab = await open({ site: site.url });
  await tab.go(`/runs/${run.id}/list`);
  await tab.page
    .getByRole("button", { name: /^Resolve/ })
    .first()
    .click();
  const dialog = tab.page.getByRole("dialog");
  await dialog.getByLabel("Value", { exact: true }).fill('{"transfer": "tr_seen"}');
  await sign(tab, "Record it as completed", "seen in the bank's statement");
  expect(await run.wait()).toEqual({ transfer: "tr_seen" });
  const { history } = await run.show();
  const note = history.find(({ what }) => what === "resolved");
  expect(note?.by).toBe(BY);
  // The note names the step and what was said of it too.
  expect(note?.detail).toContain("seen in the bank's statement");
});

/** The run whose page a tab shows. */
function runIn(tab: Tab): string {
  return /\/runs\/([^/?]+)/.exec(tab.address)?.[1] ?? "";
}
