/** What the compiler refuses. The check fails where a line below `@ts-expect-error` is accepted. */

import { z } from "zod";
import type { AppMaker } from "../../src/app.js";
import type { DurablexStep } from "../../src/dialects/durablex/index.js";
import { createFailpathClient } from "../../src/dialects/failpath/index.js";
import { type LoopStepHandle, loop } from "../../src/dialects/loops/index.js";
import * as questpie from "../../src/dialects/questpie/index.js";
import {
  type App,
  client,
  type Duration,
  event,
  ref,
  type Step,
  type Workflow,
  workflow,
} from "../../src/index.js";

declare const step: Step;
declare const app: AppMaker;
declare const fraud: Workflow<"fraud", { order: string }, { score: number }>;
declare const mailer: Workflow<"mailer", undefined, void, { mail: { send(): void } }>;
declare const stored: Workflow<"stored", undefined, void, { db: { query(): void } }>;
declare const shop: App<"shop", [typeof fraud, typeof mailer]>;
const paid = event("paid", z.object({ order: z.string() }));
const run = (): number => 1;

/** §11: durations that are none. */
export const durations: Duration[] = [
  "500ms",
  "10s",
  "5m",
  "1h",
  "7d",
  "1w",
  "1d12h",
  "1h30m",
  "1h 30m",
  "30 minutes",
  "2 hours",
  "1 day",
  "1.5h",
  "5000",
  5000,
  "1 hour 5 seconds",
  "90 days",
  // @ts-expect-error
  "5 parsecs",
  // @ts-expect-error
  "5M",
  // @ts-expect-error
  "1 month",
  // @ts-expect-error
  "1y",
  // @ts-expect-error
  "m",
  // @ts-expect-error
  "",
  // @ts-expect-error
  "PT30M",
  // @ts-expect-error
  "five minutes",
  // @ts-expect-error
  "1 day ago",
];
// @ts-expect-error
step.sleep("a", "5 parsecs");
// @ts-expect-error
step.run("a", run, { timeout: "5M" });
// @ts-expect-error
step.waitForEvent("a", { event: "e", timeout: "5 parsecs" });
// @ts-expect-error
step.invoke("a", { workflow: fraud, input: { order: "o" }, timeout: "1 month" });
// @ts-expect-error
workflow({ name: "a", timeout: "1y" }, run);

/** §2: inputs that are missing or do not fit. */
// @ts-expect-error
step.invoke("a", { workflow: fraud });
// @ts-expect-error
step.invoke("a", { workflow: fraud, input: { order: 7 } });
// @ts-expect-error
step.invoke<typeof fraud>("a", { workflow: "fraud" });
// @ts-expect-error
step.emit("a", { event: paid });
// @ts-expect-error
step.emit("a", { event: paid, data: { order: 7 } });

/** §9.2: workflows that nobody knows. */
// @ts-expect-error
step.invoke("a", { workflow: "fraud", input: { order: "o" } });
// @ts-expect-error
step.invoke<typeof fraud>("a", { workflow: "fruad", input: { order: "o" } });
// @ts-expect-error
ref<typeof fraud>("fruad");

/** Options that do not exist, or not together. */
// @ts-expect-error
step.run("a", run, { retries: 3 });
// @ts-expect-error §4.5
step.run("a", run, { retry: { maxAttempts: 3 }, atMostOnce: true });
// @ts-expect-error
step.run("a", run, { compensate: (result: string) => result });
// @ts-expect-error
step.waitForEvent("a", { event: "e", onTimeuot: "fail" });
// @ts-expect-error
step.waitForEvent("a", { event: "e", onTimeout: "throw" });
// @ts-expect-error
workflow({ name: "a", timout: "1h" }, run);
// @ts-expect-error
workflow({ name: "a", output: z.string() }, () => 7);

/** §2.3: what handlers take has to be given by their app. */
// @ts-expect-error
app("a", { workflows: [mailer] });
// @ts-expect-error
app("a", { workflows: [mailer, stored], deps: { mail: { send() {} } } });
app("a", { workflows: [mailer, stored], deps: { mail: { send() {} }, db: { query() {} } } });
app("a", { workflows: [fraud] });

/** The client knows the workflows of its app. */
const stepwell = client<typeof shop>();
// @ts-expect-error
stepwell.start("fruad", { order: "o" });
// @ts-expect-error
stepwell.start("fraud");
// @ts-expect-error
stepwell.start("fraud", { order: 7 });
// @ts-expect-error
stepwell.start("fraud", { order: "o" }, { delay: "5M" });
// @ts-expect-error
stepwell.send(paid);
// @ts-expect-error
client<typeof shop>({ app: "shoop" });

/** §13: options, inputs and durations that the dialects do not take. */
declare const loops: LoopStepHandle;
declare const durablex: DurablexStep;
declare const steps: questpie.QuestpieStep;
// @ts-expect-error
createFailpathClient({ flushInterval: 5 });
// @ts-expect-error: the run is a function.
loop({ name: "a", run: 7 });
// @ts-expect-error
loop({ name: "a", retries: 3, run });
// @ts-expect-error: a scan that does not come is an error.
loop({ name: "a", scan: { onTimeout: "null" }, run });
// @ts-expect-error
loop({ name: "a", output: z.string(), run: () => 7 });
// @ts-expect-error
loops.do("a", run, { retries: 3 });
// @ts-expect-error
loops.waitForScan({ timeout: "5 parsecs" });
// @ts-expect-error: its word is `do`.
loops.run("a", run);
// @ts-expect-error
durablex.run("a", { n: 1 }, (input) => input.m);
// @ts-expect-error
durablex.waitForEvent("a", { event: "e", timeuot: "1h" });
// @ts-expect-error
durablex.runWorkflow("a", { name: fraud });
// @ts-expect-error
durablex.runWorkflow("a", { name: fraud, data: { order: 7 } });
// @ts-expect-error
durablex.runWorkflow<typeof fraud>("a", { name: "fruad", data: { order: "o" } });
// @ts-expect-error
durablex.runWorkflow("a", { name: "fraud", input: { order: "o" } });
// @ts-expect-error
durablex.emit("a", { name: paid, data: { order: 7 } });
// @ts-expect-error
durablex.emit("a", { event: "e" });
// @ts-expect-error
durablex.sleep("a", "5M");
// @ts-expect-error: the options stand in front of the function.
steps.run("a", run, { timeout: "30s" });
// @ts-expect-error
steps.run("a", { retries: 3 }, run);
// @ts-expect-error
steps.run("a", { timeout: "30 parsecs" }, run);
// @ts-expect-error
steps.invoke("a", { workflow: fraud, input: { order: 7 } });
// @ts-expect-error
steps.invoke("a", { workflow: "fraud", data: 7 });
// @ts-expect-error
steps.sendEvent("a", { event: paid });
// @ts-expect-error: its word is `schema`.
questpie.workflow({ name: "a", input: z.string(), handler: run });
// @ts-expect-error
questpie.workflow({ name: "a" });
