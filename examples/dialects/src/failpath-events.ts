/**
 * The life of a step as Failpath tells it: it runs, and succeeds or throws; what sends that waits in nobody's way,
 * unless it is asked to. Only the import is another one.
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createFailpathClient } from "stepwell/dialects/failpath";
import type { Checks } from "./checks.ts";
import { attemptsOf, serverUrl, shownRun, statuses } from "./observed.ts";

/** A bank that declines. */
async function debit(iban: string): Promise<string> {
  if (iban.startsWith("XX")) throw new TypeError(`${iban} is no account`);
  return `debited ${iban}`;
}

/** Tells of one step of each end, of one that is open, and of some by hand; then has nobody to tell it to. */
export async function program(checks: Checks): Promise<void> {
  const failures: string[] = [];
  const failpath = createFailpathClient({
    url: serverUrl(),
    projectKey: process.env.FAILPATH_PROJECT_KEY,
    enabled: true,
    captureStack: true,
    defaultMetadata: { service: "payouts" },
    redact: (value, path) => (path === "iban" ? String(value).slice(0, 4) : value),
    // That there is no key is told as well, and is fine here.
    onError: ({ events, message }) => void (events > 0 && failures.push(message)),
  });
  const runId = `payout-${Date.now()}`;
  const run = failpath.run("payout", { runId });
  const done = await run.step("debit", () => debit("DE02"), {
    metadata: { iban: "DE02120300000000202051", cents: 4200 },
  });
  checks.is("what a step gives", done, "debited DE02");
  const thrown = await run.step("credit", () => debit("XX99")).catch((error: unknown) => error);
  checks.is(
    "what a step throws",
    thrown instanceof TypeError && thrown.message,
    "XX99 is no account",
  );

  // A file that another service takes in, and a callback that says how that went.
  const begun = Date.now() - 2_000;
  const byHand = { flowKey: "payout", runId, stepKey: "statement" };
  await failpath.recordStep({ ...byHand, status: "running", at: new Date(begun) });
  await failpath.recordStep({
    ...byHand,
    status: "error",
    error: "no space left",
    at: begun + 1_500,
  });
  await failpath.recordStep({ ...byHand, stepKey: "archive", status: "success" });

  let end: () => void = () => undefined;
  const open = run.step("report", () => new Promise<void>((resolve) => (end = resolve)));
  await failpath.flush();
  const told = await shownRun("payout", runId, ({ events }) => events === 8);
  checks.is("the steps while one is open", statuses(told), {
    debit: "success",
    credit: "error",
    statement: "error",
    archive: "success",
    report: "running",
  });
  const [debited] = attemptsOf(told, "debit");
  checks.is("its metadata", debited?.metadata, { iban: "DE02", cents: 4200 });
  const [failed] = attemptsOf(told, "credit");
  checks.is("the stack is kept", failed?.error?.stack?.includes("debit"), true);
  end();
  await open;
  await failpath.close();
  checks.is("failures to send", failures, []);
  await withoutServer(checks);
}

/** Nobody listens: steps run all the same, unless the client is to throw. */
async function withoutServer(checks: Checks): Promise<void> {
  const url = await deadUrl();
  const failures: string[] = [];
  const quiet = createFailpathClient({
    url,
    projectKey: "fp_test",
    onError: ({ events }) => void (events > 0 && failures.push("not sent")),
  });
  const step = quiet.run("payout", { runId: "nobody" }).step("debit", () => debit("DE02"));
  checks.is("a step that nobody hears of", await step, "debited DE02");
  await quiet.close(1);
  checks.is("onError hears of it", failures.length > 0, true);

  const strict = createFailpathClient({ url, projectKey: "fp_test", throwOnSendError: true });
  const asked = strict.run("payout", { runId: "nobody" }).step("debit", () => debit("DE02"));
  const name = await asked.catch((error: unknown) => error instanceof Error && error.name);
  checks.is("with throwOnSendError", name, "TelemetrySendError");
  await strict.close(1);
}

/** Returns an address at which nobody listens. */
async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
