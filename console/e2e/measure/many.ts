/** Many runs on a server, quickly: of two apps, in all statuses that need no person, with keys and attributes. */

import { Agent, type IncomingMessage, request } from "node:http";
import { app, client, ref, workflow } from "../workshop/sdk.ts";

/** How many runs have their start in progress at once. */
const AT_ONCE = 192;
/** Children of one parent. */
const CHILDREN = 500;

/** What was made. */
export interface Made {
  readonly runs: number;
  /** One that has {@link CHILDREN} children. */
  readonly parent: string;
  /** When half of all was made. */
  readonly middle: string;
  /** Shortly before and after, so that about one in a hundred lies between. */
  readonly window: readonly [string, string];
}

/**
 * A run by its number. Half of what is asked for is rare, and some of it excludes each other although there is
 * much of both: a failed run never has `country` DE, a cancelled one is never of the later half.
 */
function start(n: number, total: number): Readonly<Record<string, unknown>> {
  const fails = n % 5 === 0;
  const finance = n % 3 === 0;
  const waits = n % 7 === 1;
  const workflow = `${finance ? "payout" : "order"}-${(n >> 3) % 2 === 0 ? "eu" : "us"}`;
  const country = fails ? "FR" : ["DE", "DE", "PL", "DE", "SE"][n % 5];
  const cents = fails ? n % 1000 : 1000 + ((n * 7919) % 90_000);
  return {
    app: finance ? "finance" : "shop",
    workflow,
    key: `key-${n}`,
    input: { fails },
    search: { country, cents, ...(n % 20_011 === 0 && { vip: true }), half: n < total / 2 ? 1 : 2 },
    ...(waits && { delay: "30d" }),
  };
}

/** Makes so many runs, and waits until those that can end have ended. `say` is told how far it is. */
export async function makeRuns(
  url: string,
  total: number,
  say: (line: string) => void,
): Promise<Made> {
  const handler = ({ input }: { input: unknown }) => {
    if (input !== null && (input as { fails?: boolean }).fails === true) throw new Error("no");
    return 1;
  };
  const named = (names: readonly string[]) => names.map((name) => workflow({ name }, handler));
  const parents = workflow({ name: "import" }, async ({ step }) => {
    const one = (n: number) => step.invoke(`row ${n}`, { workflow: ref("order-eu"), input: {} });
    await Promise.all(Array.from({ length: CHILDREN }, (_, n) => one(n)));
  });
  const options = { url, log: false, slots: 2000 } as const;
  const runners = await Promise.all([
    app("shop", { workflows: [...named(["order-eu", "order-us"]), parents] }).serve(options),
    app("finance", { workflows: named(["payout-eu", "payout-us"]) }).serve(options),
  ]);
  const post = poster(url);
  const stepwell = client({ url });
  const marks: string[] = [];
  const family = [total * 0.2, total * 0.6, total * 0.9].map(Math.floor);
  let parent = "";
  let next = 0;
  const marked = [0.495, 0.5, 0.505].map((share) => Math.floor(total * share));
  const work = async () => {
    for (let n = next++; n < total; n = next++) {
      if (marked.includes(n)) marks[marked.indexOf(n)] = new Date().toISOString();
      if (family.includes(n)) parent = (await stepwell.start("import", {}, { app: "shop" })).id;
      const id = await post("/runs", start(n, total));
      if (n % 11 === 2 && n < total / 2) await post(`/runs/${id}/cancel`, {});
      if (n % 20_000 === 0) say(`${n.toLocaleString("en")} runs`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await stepwell.run(parent).wait();
  await settled(url);
  await Promise.all(runners.map(async (runner) => await runner.stop()));
  const [before = "", middle = "", after = ""] = marks;
  return { runs: total + family.length * (CHILDREN + 1), parent, middle, window: [before, after] };
}

/** Waits until no run is on its way and lists show all that is durable. */
async function settled(url: string): Promise<void> {
  const stepwell = client({ url });
  for (;;) {
    const { runs, stale } = await stepwell.list({ status: ["queued", "running"], limit: 1 });
    if (runs.length === 0 && !stale) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Returns a function that posts over connections that stay open. */
function poster(url: string): (path: string, body: unknown) => Promise<string> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  return async (path, body) => {
    const text = JSON.stringify(body);
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
    };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request(`${url}/api/v1${path}`, { method: "POST", agent, headers }, resolve);
      asked.on("error", reject);
      asked.end(text);
    });
    let got = "";
    for await (const chunk of answer) got += String(chunk);
    if ((answer.statusCode ?? 500) >= 300) throw new Error(got);
    return (JSON.parse(got) as { id: string }).id;
  };
}
