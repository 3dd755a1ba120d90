/**
 * A backend that tells what it does, as one writes it for Failpath: runs, steps, what is left out, what is told by
 * hand. Only the import is another one.
 */

import { createFailpathClient, type FailpathClient } from "stepwell/dialects/failpath";
import type { Checks } from "./checks.ts";
import { pushFlows, serverUrl, shownRun, statuses } from "./observed.ts";

/** What somebody wants to buy. */
export interface Basket {
  readonly items: readonly string[];
  readonly card: string;
  readonly gift: boolean;
}

/** What a request is answered with. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Takes an order. The id of the request names the run, and each step has the key that the file of flows says. */
export async function takeOrder(
  failpath: FailpathClient,
  requestId: string,
  basket: Basket,
): Promise<Answer> {
  const run = failpath.run("order", { runId: requestId });
  try {
    const cents = await run.step("check-basket", async () => {
      if (basket.items.length === 0) throw new RangeError("the basket is empty");
      return basket.items.length * 250;
    });
    const payment = await run.step("take-payment", async () => {
      if (basket.card === "expired") throw new Error("the card has expired");
      return `${cents} cents of ${basket.card}`;
    });
    if (basket.gift) await run.step("wrap-gift", () => "wrapped");
    else await run.skip("wrap-gift");
    return { status: 201, body: payment };
  } catch (error) {
    // The program's own way with errors: they come out of a step as they went in.
    return { status: error instanceof RangeError ? 422 : 502, body: String(error) };
  }
}

/** The mailer is another service: it tells of its part by hand, under the run that it was told of. */
export async function receiptMailed(failpath: FailpathClient, requestId: string): Promise<void> {
  await failpath.recordStep({
    flowKey: "order",
    runId: requestId,
    stepKey: "mail-receipt",
    status: "success",
  });
}

/** Takes three orders, and looks at what became of them. */
export async function program(checks: Checks): Promise<void> {
  await pushFlows();
  const failpath = createFailpathClient({
    url: serverUrl(),
    projectKey: process.env.FAILPATH_PROJECT_KEY,
    onError: ({ events, message }) => void (events > 0 && process.stderr.write(`${message}\n`)),
  });
  const [good, lost, declined] = ["good", "lost", "declined"].map(
    (name) => `${name}-${Date.now()}`,
  );
  if (good === undefined || lost === undefined || declined === undefined) return;

  const pen = { items: ["pen"], card: "4000", gift: false };
  checks.is("a good order", await takeOrder(failpath, good, pen), {
    status: 201,
    body: "250 cents of 4000",
  });
  await receiptMailed(failpath, good);
  // Nobody mails the receipt of this one, and nobody says that it is left out.
  await takeOrder(failpath, lost, { ...pen, gift: true });
  const refused = await takeOrder(failpath, declined, { ...pen, card: "expired" });
  checks.is("a card that has expired", refused, {
    status: 502,
    body: "Error: the card has expired",
  });
  await failpath.close();

  const told = await shownRun("order", good, ({ status }) => status === "completed");
  checks.is("the good order's steps", statuses(told), {
    "check-basket": "success",
    "take-payment": "success",
    "wrap-gift": "skipped",
    "mail-receipt": "success",
  });
  const open = await shownRun("order", lost, ({ status }) => status === "completed");
  checks.is("a receipt that nobody mailed", statuses(open)["mail-receipt"], "missing");
  const failed = await shownRun("order", declined, ({ status }) => status === "failed");
  checks.is("the steps of the one that failed", statuses(failed), {
    "check-basket": "success",
    "take-payment": "error",
    "wrap-gift": "not_reached",
    "mail-receipt": "not_reached",
  });
  const [attempt] = failed.steps[1]?.attempts ?? [];
  checks.is("what went wrong", attempt?.error?.message, "the card has expired");
}
