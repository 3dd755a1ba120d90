/** What the compiler shows where the mouse rests: `//=>` after a line says the type of its name. */

import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import {
  type App,
  client,
  event,
  type Jsonify,
  ref,
  unchecked,
  type WorkflowRef,
  waits,
  workflow,
} from "../../src/index.js";

interface Charge {
  readonly tx: string;
  readonly cents: number;
}
interface Tree {
  name: string;
  below: Tree[];
}
interface Dated {
  at: Date;
  below: Dated[];
}
interface Mail {
  send(to: string): Promise<void>;
}
declare const pay: {
  charge(order: string, options: { signal: AbortSignal; key: string }): Promise<Charge>;
  refund(tx: string): Promise<void>;
};
declare const signed: { signal: AbortSignal; key: string };

const approved = event("order.approved", z.object({ order: z.string(), approved: z.boolean() }));
const loose = event<{ at: Date }>("loose");
const scans = waits({ waitForScan: { event: approved, onTimeout: "fail" } });

const fraud = workflow({ name: "fraud", input: type({ order: "string" }) }, async ({ input }) => ({
  score: 3,
  order: input.order,
  at: new Date(),
}));
const sized = workflow(
  {
    name: "sized",
    input: v.object({ n: v.optional(v.number(), 3) }),
    output: z.object({ ok: z.boolean() }),
  },
  async ({ input }) => ({ ok: input.n > 2 }),
);
const bare = workflow({ name: "bare" }, async ({ input }) => {
  input; //=> unknown
});
const said = workflow({ name: "said", input: unchecked<"a" | "b">() }, ({ input }) => input);

const checkout = workflow.withDeps<{ mail: Mail }>().withWaits(scans)(
  {
    name: "checkout",
    input: z.object({ order: z.string() }),
    waits: {
      waitForMail: {
        event: loose,
        match: ({ input, run }) => ({ order: input.order, run }),
      },
    },
    onFailure: async ({ error, completedSteps, run }, { ctx, signal }) => {
      error.name; //=> string
      completedSteps[0]?.output; //=> unknown
      run.status; //=> BadEnd
      ctx.deps.mail; //=> Mail
      signal; //=> AbortSignal
    },
  },
  async ({ input, step, ctx }) => {
    input; //=> { order: string; }
    const charge = await step.run(
      "charge",
      ({ signal, idempotencyKey: key }) => pay.charge(input.order, { signal, key }),
      { retry: { maxAttempts: 3, backoff: "1s" }, compensate: (charge) => pay.refund(charge.tx) },
    );
    charge; //=> Charge
    const paid = await step.run("pay", () => pay.charge(input.order, signed), {
      compensate: async () => {
        await pay.refund(paid.tx);
      },
    });
    paid; //=> Charge
    const written = await step.run("write", () => ({
      tx: "a",
      at: new Date(),
      send() {},
      none: undefined,
    }));
    written; //=> { tx: string; at: string; }
    const doubled = await step.run("double", { n: 1, at: new Date() }, ({ input }) => ({
      ...input,
      twice: input.n * 2,
    }));
    doubled; //=> { twice: number; n: number; at: string; }
    const nothing = await step.run("nothing", () => {});
    nothing; //=> void
    const once = await step.run("once", () => 7, {
      atMostOnce: {
        verify: ({ attempt }) => ({ outcome: "done", value: attempt }),
        onUnknown: "throw",
      },
    });
    once; //=> number
    const child = await step.invoke("child", { workflow: fraud, input: { order: "o" } });
    child; //=> { score: number; order: string; at: string; }
    const named = await step.invoke<typeof fraud>("named", {
      workflow: "fraud",
      input: { order: "o" },
    });
    named; //=> { score: number; order: string; at: string; }
    const referred = await step.invoke("referred", {
      workflow: ref<typeof sized>("sized"),
      input: {},
    });
    referred; //=> { ok: boolean; }
    const foreign = await step.invoke("foreign", { workflow: ref("foreign"), input: 7 });
    foreign; //=> unknown
    const ship = ref<WorkflowRef<"ship", { to: string }, { parcel: number }>>("ship");
    const parcel = await step.invoke("ship", {
      workflow: ship,
      input: { to: "Rome" },
      compensate: ({ parcel }) => parcel.toFixed(),
    });
    parcel; //=> { parcel: number; }
    const ever = await step.waitForEvent("ever", { event: approved });
    ever; //=> { order: string; approved: boolean; }
    const maybe = await step.waitForEvent("maybe", { event: approved, timeout: "48h" });
    maybe; //=> { order: string; approved: boolean; } | null
    const orFail = await step.waitForEvent("or fail", {
      event: approved,
      timeout: "48h",
      onTimeout: "fail",
    });
    orFail; //=> { order: string; approved: boolean; }
    const orNo = await step.waitForEvent("or no", {
      event: loose,
      timeout: 5,
      onTimeout: { value: "no" },
    });
    orNo; //=> { at: string; } | "no"
    const read = await step.waitForEvent("read", {
      event: "any",
      schema: z.object({ n: z.coerce.number() }),
    });
    read; //=> { n: number; }
    const any = await step.waitForEvent("any", { event: "any", timeout: "1h" });
    any; //=> unknown
    const scan = await step.waitForScan({ timeout: "1h" });
    scan; //=> { order: string; approved: boolean; }
    const mail = await step.waitForMail({ timeout: "1h", id: "mail" });
    mail; //=> { at: string; } | null
    const race = await step.race("race", {
      scan: async (step) => (await step.waitForScan()).approved,
      late: (step) => step.sleep("late", "1d12h"),
    });
    race; //=> { readonly winner: "scan"; readonly value: boolean; } | { readonly winner: "late"; readonly value: void; }
    await step.emit("told", { event: approved, data: { order: "o", approved: true } });
    await step.emit("any", { event: "any" });
    ctx.deps.mail; //=> Mail
    if (ctx.random() > 0.5) return ctx.continueAs({ order: "next" });
    if (!maybe?.approved) return { status: "rejected" as const };
    return { status: "ok" as const, tx: charge.tx };
  },
);
const out = checkout["~types"];
out?.output; //=> { status: "rejected"; tx?: never; } | { status: "ok"; tx: string; } | undefined

declare const shop: App<"shop", [typeof checkout, typeof fraud, typeof bare, typeof sized]>;
const stepwell = client<typeof shop>({ app: "shop" });
export async function use(): Promise<void> {
  const run = await stepwell.start("fraud", { order: "o" }, { key: "k" });
  const end = await run.wait();
  end; //=> { score: number; order: string; at: string; }
  const quick = await stepwell.startAndWait("sized", {});
  quick; //=> { ok: boolean; }
  const none = await stepwell.startAndWait("bare");
  none; //=> null
  const value = await stepwell.startAndWait(said, "a");
  value; //=> "a" | "b"
  const untyped = await client().startAndWait("anything", { a: 1 });
  untyped; //=> unknown
  const known = stepwell.run<typeof fraud>("run_1");
  known; //=> RunHandle<{ score: number; order: string; at: string; }, { order: string; }>
}

const kept: Jsonify<Tree> = { name: "a", below: [] };
kept; //=> Tree
declare const dated: Jsonify<Dated>;
dated.below[0]?.below[0]?.at; //=> string | undefined
declare const odd: Jsonify<{
  lit: "a" | 1 | null;
  un: unknown;
  an: ReturnType<typeof JSON.parse>;
  list: (string | undefined)[];
  pair: readonly [Date, 1];
  maybe: string | undefined;
  opt?: Date;
  map: Map<string, string>;
  big: bigint;
  money: { toJSON(): { cents: number } };
}>;
odd; //=> { lit: 1 | "a" | null; un: unknown; an: any; list: (string | null)[]; pair: readonly [string, 1]; map: never; big: never; money: { cents: number; }; maybe?: string; opt?: string; }
