/** What the compiler shows of the dialects (§13): what is inferred where their pages show the same calls. */

import { z } from "zod";
import * as durablex from "../../src/dialects/durablex/index.js";
import * as failpath from "../../src/dialects/failpath/index.js";
import { loop, stepStatus, timeline } from "../../src/dialects/loops/index.js";
import * as questpie from "../../src/dialects/questpie/index.js";
import {
  event,
  ref,
  type StepStatus,
  type Workflow,
  type WorkflowInput,
  type WorkflowOutput,
  waits,
} from "../../src/index.js";

interface Receipt {
  readonly tx: string;
  readonly cents: number;
}
interface Bank {
  charge(order: string, cents: number): Promise<Receipt>;
  refund(tx: string): Promise<void>;
}
declare const bank: Bank;
declare const native: StepStatus;
declare const view: Parameters<typeof timeline>[0];
declare const fraud: Workflow<"fraud", { order: string }, { score: number }>;
const approved = event("approved", z.object({ order: z.string(), by: z.string() }));
const shared = waits({ waitForMail: { event: approved } });

/** Failpath. */
const telemetry = failpath.createFailpathClient({
  projectKey: process.env.FAILPATH_PROJECT_KEY,
  onError: (error) => error.events.toFixed(),
});
const observed = telemetry.run("checkout", { runId: "req_7" });
observed; //=> ObservedRun
observed.step("validate", async () => ({ at: new Date(0) })); //=> Promise<{ at: Date; }>
observed.skip("mail"); //=> Promise<void>
telemetry.recordStep({ flowKey: "checkout", runId: "r", stepKey: "s", status: "success" }); //=> Promise<void>
failpath.stepStatus(native); //=> FailpathStepStatus

/** Loops. */
const scans = loop({
  name: "scans",
  input: z.object({ patient: z.string(), days: z.number().default(1) }),
  async run({ step, ctx, input }) {
    input; //=> { patient: string; days: number; }
    const profile = await step.do("Load profile", async () => ({
      id: input.patient,
      since: new Date(0),
    }));
    profile; //=> { id: string; since: string; }
    await step.do("Tell", async ({ ctx, attempt }) => {
      ctx.runId; //=> string
      attempt; //=> number
    });
    const scan = await step.waitForScan({ timeout: "30 minutes" });
    scan; //=> any
    scan.marker; //=> any
    ctx.now(); //=> number
    const won = await step.race("first", {
      scan: async (one) => {
        const made = await one.do("made", () => 7);
        made; //=> number
        return (await one.waitForScan()) as string;
      },
      late: (one) => one.sleep("late", "2 days"),
    });
    won; //=> { readonly winner: "scan"; readonly value: string; } | { readonly winner: "late"; readonly value: void; }
    return { ...profile, days: input.days };
  },
});
scans; //=> Workflow<"scans", { patient: string; days?: number | undefined; }, { days: number; id: string; since: string; }, unknown>
loop({
  name: "typed",
  input: z.object({ parcel: z.string() }),
  scan: {
    event: "scanned",
    match: ({ input, run }) => {
      input; //=> { parcel: string; }
      return { parcel: input.parcel, run };
    },
    schema: z.object({ gate: z.coerce.number() }),
  },
  waits: shared,
  run: async ({ step }) => {
    const scan = await step.waitForScan();
    scan; //=> { gate: number; }
    const mail = await step.waitForMail({ timeout: "1h" });
    mail; //=> { order: string; by: string; } | null
    const undone = await step.do("charge", () => bank.charge("o", 1), {
      compensate: ({ tx }) => bank.refund(tx),
      retry: { maxAttempts: 3 },
    });
    undone; //=> Receipt
  },
});
loop({
  name: "by event",
  scan: { event: approved },
  async run({ step, input }) {
    const scan = await step.waitForScan();
    scan; //=> { order: string; by: string; }
    input; //=> unknown
  },
});
loop.withDeps<{ bank: Bank }>()({
  name: "with deps",
  run: ({ step, ctx }) => {
    ctx.deps.bank; //=> Bank
    return step.do("charge", ({ ctx }) => ctx.deps.bank.charge("o", 1));
  },
}); //=> Workflow<"with deps", unknown, Receipt, { bank: Bank; }>
stepStatus(native); //=> LoopStepStatus
timeline(view)[0]?.return; //=> unknown
timeline(view)[0]?.error?.stack; //=> string | undefined

/** Durablex. */
const fulfil = durablex.workflow(
  {
    name: "order.fulfil",
    input: z.object({ order: z.string(), cents: z.number() }),
    triggers: [{ event: "order.placed" }],
    onFailure: ({ error, run }) => {
      error.message; //=> string
      run.status; //=> BadEnd
    },
  },
  async (ctx) => {
    const { order } = ctx.event.data;
    order; //=> string
    ctx.event; //=> DurablexEvent<{ order: string; cents: number; }>
    const charge = await ctx.step.run("charge", () => bank.charge(order, 5));
    charge; //=> Receipt
    const wired = await ctx.step.run(
      "wire",
      { order, cents: 7, at: new Date(0) },
      (input, info) => {
        input; //=> { order: string; cents: number; at: string; }
        info.attempt; //=> number
        return bank.charge(input.order, input.cents);
      },
    );
    wired; //=> Receipt
    await ctx.step.sleep("settle", "1h");
    await ctx.step.sleepUntil("renewal", new Date(0));
    const approval = await ctx.step.waitForEvent("await-approval", {
      event: "order.approved",
      timeout: "24h",
    });
    approval; //=> any
    if (approval === null) return { status: "expired" as const };
    const typed = await ctx.step.waitForEvent("typed", { event: approved, timeout: "24h" });
    typed; //=> { order: string; by: string; } | null
    const read = await ctx.step.waitForEvent("read", {
      event: "any",
      schema: z.object({ n: z.number() }),
    });
    read; //=> { n: number; }
    const verdict = await ctx.step.runWorkflow("fraud", {
      name: "order.fraud-check",
      app: "risk",
      runner: "eu",
      data: { order },
    });
    verdict; //=> any
    const told = await ctx.step.runWorkflow<typeof fraud>("told", {
      name: "fraud",
      data: { order },
    });
    told; //=> { score: number; }
    const byValue = await ctx.step.runWorkflow("by value", { name: fraud, data: { order } });
    byValue; //=> { score: number; }
    const byRef = await ctx.step.runWorkflow("by ref", {
      name: ref<typeof fraud>("fraud"),
      data: { order },
      compensate: ({ score }) => score.toFixed(),
    });
    byRef; //=> { score: number; }
    const nothing = await ctx.step.emit("notify", {
      name: "notification.requested",
      app: "mail",
      data: { order, kind: "shipped" },
    });
    nothing; //=> void
    await ctx.step.emit("typed event", { name: approved, data: { order, by: "ada" } });
    const all = await Promise.all([
      ctx.step.run("user", () => ({ name: "ada" })),
      ctx.step.run("plan", () => 3),
    ]);
    all; //=> [{ name: string; }, number]
    const won = await ctx.step.race("first", {
      yes: (step) => step.waitForEvent("yes", { event: approved }),
      late: (step) => step.run("late", { n: 1 }, ({ n }) => n),
    });
    won; //=> { readonly winner: "yes"; readonly value: { order: string; by: string; }; } | { readonly winner: "late"; readonly value: number; }
    await ctx.step.skip("gift");
    ctx.uuid(); //=> string
    return { status: "shipped" as const, tx: charge.tx };
  },
);
fulfil; //=> Workflow<"order.fulfil", { order: string; cents: number; }, { status: "expired"; tx?: never; } | { status: "shipped"; tx: string; }, unknown>
durablex.workflow({ name: "bare" }, async (ctx) => {
  ctx.event.data; //=> unknown
});
durablex.workflow.withDeps<{ bank: Bank }>()({ name: "deps", waits: shared }, async (ctx) => {
  ctx.deps.bank; //=> Bank
  const mail = await ctx.step.waitForMail();
  mail; //=> { order: string; by: string; }
});
durablex.stepStatus(native); //=> StepStatus

/** QUESTPIE. */
const transfer = questpie.workflow({
  name: "transfer",
  schema: z.object({ from: z.string(), to: z.string(), cents: z.number() }),
  handler: async ({ input, step, ctx }) => {
    input; //=> { from: string; to: string; cents: number; }
    const user = await step.run("fetch-user", async () => ({ id: input.from }));
    user; //=> { id: string; }
    const result = await step.run(
      "call-api",
      {
        timeout: "30s",
        retry: { maxAttempts: 3, backoff: "1s" },
        compensate: async () => {
          await bank.refund(result.tx);
        },
      },
      async () => {
        return await bank.charge(input.from, input.cents);
      },
    );
    result; //=> Receipt
    const undone = await step.run("debit", { compensate: (saved) => saved.tx.length }, async () =>
      bank.charge(input.to, 5),
    );
    undone; //=> Receipt
    const nothing = await step.run("nothing", { compensate: async () => {} }, async () => {});
    nothing; //=> void
    await step.sleep("think", "5m");
    await step.sleepUntil("deadline", new Date("2025-01-01T00:00:00Z"));
    const approval = await step.waitForEvent("approval", {
      event: "approval.decision",
      match: { from: input.from },
      timeout: "48h",
    });
    approval; //=> any
    if (approval.approved) await step.run("approved", async () => {});
    const typed = await step.waitForEvent("typed", { event: approved, timeout: "48h" });
    typed; //=> { order: string; by: string; } | null
    const child = await step.invoke("sub", {
      workflow: "process-sub",
      input: { sub: "s" },
      timeout: "1h",
    });
    child; //=> any
    const scored = await step.invoke("fraud", { workflow: fraud, input: { order: "o" } });
    scored; //=> { score: number; }
    const told = await step.invoke<typeof fraud>("told", {
      workflow: "fraud",
      input: { order: "o" },
    });
    told; //=> { score: number; }
    const sent = await step.sendEvent("ready", {
      event: "order.ready",
      data: { order: "o", at: "gate 3" },
      match: { order: "o" },
    });
    sent; //=> void
    const won = await step.race("first", {
      yes: (one) => one.waitForEvent("yes", { event: approved }),
      late: (one) => one.run("late", { timeout: "1s" }, () => 7),
    });
    won; //=> { readonly winner: "yes"; readonly value: { order: string; by: string; }; } | { readonly winner: "late"; readonly value: number; }
    ctx.runId; //=> string
    return { tx: result.tx };
  },
  onFailure: async ({ error, completedSteps }) => {
    error.message; //=> string
    completedSteps[0]?.output; //=> unknown
  },
});
transfer; //=> Workflow<"transfer", { from: string; to: string; cents: number; }, { tx: string; }, unknown>
questpie.workflow({ name: "bare", handler: async ({ input }) => input }); //=> Workflow<"bare", unknown, unknown, unknown>
questpie.stepStatus(native); //=> QuestpieStepStatus
questpie.steps(view)[0]?.attempts; //=> number | undefined

/** What they make is native. */
declare const started: WorkflowInput<typeof transfer>;
started.cents; //=> number
declare const given: WorkflowOutput<typeof transfer>;
given; //=> { tx: string; }
