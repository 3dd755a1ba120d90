/**
 * Measures what telemetry costs the program that it observes (§10.3), and fails where a mark is missed:
 *
 * - a call of an async function, 1,000 a second for 60 s: the 99th percentile observed, minus that with
 *   `enabled: false`, with a server that is up, is not there, hangs, or answers 500;
 * - the delay of the event loop at 10,000 events a second, with the same servers;
 * - memory, at ten times what a slow server takes, and whether what was dropped is counted.
 *
 * Servers and programs are processes of their own. Machines are noisy: rounds with and without telemetry take
 * turns, each round is compared with its own neighbour, and what counts is the median of the differences; the
 * program is given priority over others, where that is allowed. Every figure is printed, with those of the program
 * alone, so that a machine too busy to tell anything is seen.
 *
 * ROUNDS=12 and SECONDS_EACH=5 say how long; ROUNDS times SECONDS_EACH is the time for each server.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism, loadavg } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROUNDS = Number(process.env.ROUNDS ?? 12);
const SECONDS = Number(process.env.SECONDS_EACH ?? 5);

const CALL_US_MAX = 50;
const LOOP_MS_MAX = 5;
const HEAP_BYTES_MAX = 48 * 1_024 * 1_024;
const RSS_BYTES_MAX = 256 * 1_024 * 1_024;

const say = (text) => process.stdout.write(`${text}\n`);
const missed = [];

function judge(what, value, most, unit) {
  const isMet = value <= most;
  if (!isMet) missed.push(what);
  say(
    `${isMet ? "met   " : "MISSED"} ${what}: ${value.toFixed(1)} ${unit}, at most ${most} ${unit}`,
  );
}

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Starts a server; `away` is one that is not there. */
async function start(mode) {
  if (mode === "away") return { url: "http://127.0.0.1:9", stop: () => undefined };
  const child = spawn(process.execPath, [pathOf("server.mjs"), mode], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [port] = await once(createInterface({ input: child.stdout }), "line");
  return { url: `http://127.0.0.1:${port}`, stop: () => child.stdin.end() };
}

/** Runs the program once against a server, and returns what it measured. */
async function measure(mode, options) {
  const server = await start(mode);
  const argument = JSON.stringify({ url: server.url, enabled: true, seconds: SECONDS, ...options });
  const child = spawn(process.execPath, ["--expose-gc", pathOf("program.mjs"), argument], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  const [code] = await once(child, "close");
  server.stop();
  if (code !== 0) throw new Error(`the program ended with ${code}`);
  return JSON.parse(text);
}

const median = (list) => {
  const sorted = list.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};
const figures = (list, digits = 0) => list.map((one) => one.toFixed(digits)).join(" ");
const MODES = ["up", "away", "hangs", "fails"];

/** Whether every event is accounted for. */
function isCounted({ recorded, sent, dropped, pending }) {
  return recorded === sent + dropped + pending;
}

/** §10.3: what a call costs. */
async function calls() {
  say(
    `\n1,000 calls a second, ${ROUNDS} rounds of ${SECONDS} s each; p99 of a call in microseconds`,
  );
  const found = { off: [], ...Object.fromEntries(MODES.map((mode) => [mode, []])) };
  const middle = { off: [], ...Object.fromEntries(MODES.map((mode) => [mode, []])) };
  for (let round = 0; round < ROUNDS; round += 1) {
    // Nobody is always the first.
    const order = ["off", ...MODES];
    for (const mode of [...order.slice(round % 5), ...order.slice(0, round % 5)]) {
      const server = mode === "off" ? "away" : mode;
      const one = await measure(server, { enabled: mode !== "off", callsPerSecond: 1_000 });
      found[mode].push(one.p99Us);
      middle[mode].push(one.p50Us);
      if (!isCounted(one.stats)) missed.push(`${mode}: counts ${JSON.stringify(one.stats)}`);
    }
  }
  say(
    `alone      p50 ${median(middle.off).toFixed(1)}, p99 ${median(found.off).toFixed(1)}: ${figures(found.off)}`,
  );
  for (const mode of MODES) {
    const apart = found[mode].map((p99, round) => p99 - found.off[round]);
    const p50 = median(middle[mode]) - median(middle.off);
    say(`${mode.padEnd(10)} p50 +${p50.toFixed(1)}, p99 by round: ${figures(apart)}`);
    judge(`a call, server ${mode}`, median(apart), CALL_US_MAX, "us");
  }
}

/** §10.3: what the loop is held up. */
async function loop() {
  const rounds = Math.max(3, ROUNDS >> 2);
  say(
    `\n10,000 events a second, ${rounds} rounds of ${SECONDS} s each; p99 of the event loop's delay in ms`,
  );
  const found = { off: [], ...Object.fromEntries(MODES.map((mode) => [mode, []])) };
  for (let round = 0; round < rounds; round += 1) {
    for (const mode of ["off", ...MODES]) {
      const server = mode === "off" ? "away" : mode;
      const one = await measure(server, { enabled: mode !== "off", callsPerSecond: 5_000 });
      found[mode].push(one.loopP99Ms);
      if (!isCounted(one.stats)) missed.push(`${mode}: counts ${JSON.stringify(one.stats)}`);
      if (one.calls < 4_500 * SECONDS) {
        missed.push(`the pace: ${one.calls} calls in ${SECONDS} s, server ${mode}`);
      }
    }
  }
  say(`alone      ${figures(found.off, 2)}`);
  const alone = median(found.off);
  if (alone > LOOP_MS_MAX / 2)
    say(`this machine is busy: alone the loop is delayed ${alone.toFixed(1)} ms`);
  for (const mode of MODES) {
    say(`${mode.padEnd(10)} ${figures(found[mode], 2)}`);
    judge(`the event loop, server ${mode}`, median(found[mode]), LOOP_MS_MAX, "ms");
  }
}

/** §10.3: what is held where more comes than can be sent. */
async function memory() {
  // What a server that takes 100 ms a request can be sent, and ten times that.
  const fed = await measure("slow", { callsPerSecond: 10_000 });
  const perSecond = fed.stats.sent / (SECONDS + 1);
  const callsPerSecond = Math.ceil((perSecond * 10) / 2);
  say(
    `\na slow server takes ${perSecond.toFixed(0)} events a second; ten times that, for ${SECONDS * 3} s`,
  );
  const one = await measure("slow", { callsPerSecond, seconds: SECONDS * 3 });
  const { recorded, sent, dropped, pending } = one.stats;
  const came = recorded / (SECONDS * 3 + 1);
  say(
    `${came.toFixed(0)} events a second came: ${recorded} recorded, ${sent} sent, ${dropped} dropped, ${pending} wait`,
  );
  if (!isCounted(one.stats) || dropped === 0) missed.push("what was dropped is counted");
  if (came < perSecond * 9) missed.push("ten times the rate: this machine could not make as many");
  const MIB = 1_024 * 1_024;
  judge("memory held at the end", one.heapBytes / MIB, HEAP_BYTES_MAX / MIB, "MiB");
  judge(
    "memory of the process, at most",
    one.rssBytes / MIB,
    RSS_BYTES_MAX / MIB,
    "MiB over its start",
  );
}

const load = () => `load ${loadavg()[0].toFixed(1)} of ${availableParallelism()} cores`;

say(`Node ${process.version}, ${load()}`);
await calls();
await loop();
await memory();
say(`\n${load()}: ${missed.length === 0 ? "every mark is met" : `missed: ${missed.join("; ")}`}`);
process.exitCode = missed.length === 0 ? 0 : 1;
