/**
 * The workloads `sequential` and `throughput` of `stepwell bench`, done by DBOS: the same number of steps, whose
 * functions do nothing, each checkpointed in the database before the next one begins.
 *
 *     node bench.mjs URL WORKLOAD [SECONDS] [IN_FLIGHT] [POOL]
 *
 * Prints one object of JSON. DBOS runs workflows in the process that starts them, so there is one process beside the
 * database, where Stepwell has three: server, runner, load.
 */

import { DBOS } from "@dbos-inc/dbos-sdk";

const STEPS = { sequential: 100, throughput: 10 };
const SEQUENCE = 20;
const WARM_UP_MS = 3_000;

const [url, workload, seconds = "30", inFlight = "512", pool = "20"] = process.argv.slice(2);
const steps = STEPS[workload];
if (url === undefined || steps === undefined) {
  console.error("usage: bench.mjs URL sequential|throughput [SECONDS] [IN_FLIGHT] [POOL]");
  process.exit(2);
}

/** Steps after each other; returns the milliseconds that each of them took. */
async function stepped(count) {
  const took = [];
  let value = 0;
  for (let number = 0; number < count; number++) {
    const begun = performance.now();
    value = await DBOS.runStep(async () => value + 1, { name: `step-${number}` });
    took.push(performance.now() - begun);
  }
  return took;
}

const workflow = DBOS.registerWorkflow(stepped, { name: "steps" });

DBOS.setConfig({
  name: "bench",
  applicationVersion: "1",
  systemDatabaseUrl: url,
  systemDatabasePoolSize: Number(pool),
  logLevel: "error",
});
await DBOS.launch();
const figures = workload === "sequential" ? await sequential() : await throughput();
console.log(JSON.stringify({ workload, system: "dbos", pool: Number(pool), ...figures }));
await DBOS.shutdown();
process.exit(0);

/** One run at a time, after as many for warming up. */
async function sequential() {
  const took = [];
  for (let number = 0; number < SEQUENCE * 2; number++) {
    const each = await workflow(steps);
    if (number >= SEQUENCE) {
      took.push(...each);
    }
  }
  took.sort((one, other) => one - other);
  return { step_p50_ms: took[Math.floor(took.length / 2)] };
}

/** So many runs in flight; counts those that end between the end of the warming up and the end. */
async function throughput() {
  let runs = 0;
  let isMeasuring = false;
  let isOver = false;
  const one = async () => {
    while (!isOver) {
      await workflow(steps);
      runs += isMeasuring ? 1 : 0;
    }
  };
  const all = Array.from({ length: Number(inFlight) }, one);
  await pause(WARM_UP_MS);
  isMeasuring = true;
  const begun = performance.now();
  await pause(Number(seconds) * 1_000);
  isMeasuring = false;
  const measured = (performance.now() - begun) / 1_000;
  isOver = true;
  await Promise.all(all);
  return { steps_per_s: (runs * steps) / measured, measured_s: measured };
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
