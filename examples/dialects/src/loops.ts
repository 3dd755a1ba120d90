/**
 * A loop as one writes it for Loops: steps by name, one of which waits for a scan. Only the import is another one.
 */

import { app, client } from "stepwell";
import { type LoopStep, loop, timeline } from "stepwell/dialects/loops";
import { z } from "zod";
import { type Checks, type Showable, until } from "./checks.ts";

/** What a device sends. */
const Scan = z.object({ pulse: z.number(), sleptHours: z.number() });

const PATIENTS = JSON.stringify({
  "p-7": { id: "p-7", region: "north", plan: "plus", born: "1961-04-02" },
});

/** Another service, which answers as one does over HTTP. */
async function records(patientId: string): Promise<Response> {
  const found: unknown = (JSON.parse(PATIENTS) as Record<string, unknown>)[patientId];
  if (found === undefined) throw new Error(`there is no patient ${patientId}`);
  return Response.json(found);
}

/** Asks for a scan each day, and says how it was. */
export const dailyScan = loop({
  name: "daily-scan",
  input: z.object({ patientId: z.string() }),
  scan: { schema: Scan },
  async run({ step, input }) {
    const profile = await step.do("Load profile", async () => {
      const answer = await records(input.patientId);
      const { id, region, plan } = (await answer.json()) as Record<string, string>;
      return { id, region, plan };
    });
    await step.do("Ask for a scan", async ({ ctx }) => {
      return `${profile.region} asked ${profile.id} in ${ctx.runId}`;
    });
    const scan = await step.waitForScan({ timeout: "30 minutes" });
    await step.do("Send notification", async () => {});
    return { ...profile, pulse: scan.pulse };
  },
});

/** The same for who has little patience: the wait is over before a scan comes. */
export const shortScan = loop({
  name: "short-scan",
  async run({ step }) {
    await step.waitForScan({ timeout: "20ms" });
  },
});

/** The program's app: loops are workflows as all others are. */
export const care = app("care", { workflows: [dailyScan, shortScan] });

/** Returns the row of a step. */
export function row(rows: readonly LoopStep[], name: string): LoopStep {
  const found = rows.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no step ${name}`);
  return found;
}

/** Resolves to the rows of a run once one of them stands so. */
export async function rowsWith(
  run: Showable,
  name: string,
  status: LoopStep["status"],
): Promise<readonly LoopStep[]> {
  return await until(
    async () => timeline(await run.show()),
    (rows) => rows.some((one) => one.name === name && one.status === status),
  );
}

/** Sends a scan to a loop that waits for one, and lets another one wait in vain. */
export async function program(checks: Checks): Promise<void> {
  await using _runner = await care.serve({ log: false, handleSignals: false });
  const stepwell = client({ app: care });
  const run = await stepwell.start("daily-scan", { patientId: "p-7" });
  const waiting = await rowsWith(run, "waitForScan", "running");
  checks.is("the wait is open", row(waiting, "waitForScan").completedAt, null);
  await stepwell.send("scan", { pulse: 61, sleptHours: 7.5 }, { run: run.id });
  checks.is("what the loop gives", await run.wait(), {
    id: "p-7",
    region: "north",
    plan: "plus",
    pulse: 61,
  });
  const rows = timeline(await run.show());
  checks.is(
    "its timeline",
    rows.map(({ name, status, return: gave }) => [name, status, gave]),
    [
      ["Load profile", "succeeded", { id: "p-7", region: "north", plan: "plus" }],
      ["Ask for a scan", "succeeded", `north asked p-7 in ${run.id}`],
      ["waitForScan", "succeeded", { pulse: 61, sleptHours: 7.5 }],
      ["Send notification", "succeeded", null],
    ],
  );
  checks.is("all have begun and ended", rows.every(hasTimes), true);
  checks.is(
    "none has an error",
    rows.some((one) => "error" in one),
    false,
  );

  const late = await stepwell.start("short-scan");
  await late.wait().catch(() => undefined);
  const [missed] = timeline(await late.show());
  checks.is("a wait in vain", [missed?.name, missed?.status], ["waitForScan", "failed"]);
  checks.is("its error", missed?.error?.message, "no event `scan` came in time");
}

function hasTimes({ startedAt, completedAt }: LoopStep): boolean {
  return startedAt !== null && completedAt !== null && startedAt <= completedAt;
}
