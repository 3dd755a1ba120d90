/** What the compiler refuses. The check fails where a line below `@ts-expect-error` is accepted. */

import { z } from "zod";
import type { AppMaker } from "../../src/app.js";
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
