/**
 * The program that is measured: calls an async function so many times a second, observed or not, and prints what
 * that took as JSON. Its argument is JSON: `{url, enabled, callsPerSecond, seconds}`.
 */

import { setPriority } from "node:os";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { createTelemetryClient } from "stepwell/telemetry";

const { url, enabled, callsPerSecond, seconds } = JSON.parse(process.argv[2]);
const WARM_UP_MS = 1_000;
const SAMPLE_MS = 100;

try {
  // Before other programs of this machine, which are not what is measured. Not everybody may.
  setPriority(-15);
} catch {
  // Then it is as it is.
}

const telemetry = createTelemetryClient({
  url,
  enabled,
  projectKey: "sw_overhead",
  onError: () => undefined,
});
const latencies = new Float64Array(callsPerSecond * seconds * 2);
let measured = 0;
let isMeasuring = false;
let n = 0;

/** What an ordinary function does: something, then it waits for something else. */
async function work() {
  const order = JSON.stringify({ id: n, items: ["a", "b", "c"], cents: 1_999 });
  await new Promise((resolve) => setImmediate(resolve));
  return order.length;
}

async function call() {
  n += 1;
  const begun = performance.now();
  const run = telemetry.run("checkout", { runId: `req_${n}` });
  await run.step("charge-card", work, { metadata: { orderId: `o-${n}`, cents: 1_999 } });
  const took = performance.now() - begun;
  if (isMeasuring && measured < latencies.length) latencies[measured++] = took;
}

/** Calls at a pace, one call in a turn of the loop, as requests come. */
function pace(ms) {
  return new Promise((resolve) => {
    const begun = performance.now();
    let calls = 0;
    const turn = () => {
      const passed = performance.now() - begun;
      if (passed >= ms) return resolve(calls);
      const isDue = calls < (passed * callsPerSecond) / 1_000;
      if (isDue) {
        calls += 1;
        void call();
        setImmediate(turn);
      } else setTimeout(turn, 1);
    };
    turn();
  });
}

globalThis.gc?.();
const before = process.memoryUsage();
await pace(WARM_UP_MS);

isMeasuring = true;
let rssMax = 0;
let pendingMax = 0;
const sample = setInterval(() => {
  rssMax = Math.max(rssMax, process.memoryUsage.rss());
  pendingMax = Math.max(pendingMax, telemetry.stats.pending);
}, SAMPLE_MS);
const delay = monitorEventLoopDelay({ resolution: 1 });
const busy = performance.eventLoopUtilization();
delay.enable();
const calls = await pace(seconds * 1_000);
delay.disable();
clearInterval(sample);
const { utilization } = performance.eventLoopUtilization(busy);
const stats = telemetry.stats;
globalThis.gc?.();
const after = process.memoryUsage();

latencies.subarray(0, measured).sort();
const at = (share) => latencies[Math.min(measured - 1, Math.floor(measured * share))] * 1_000;
const answer = {
  calls,
  p50Us: at(0.5),
  p99Us: at(0.99),
  loopP99Ms: delay.percentile(99) / 1e6,
  utilization,
  stats,
  pendingMax,
  heapBytes: after.heapUsed + after.external - before.heapUsed - before.external,
  rssBytes: rssMax - before.rss,
};
process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0));
