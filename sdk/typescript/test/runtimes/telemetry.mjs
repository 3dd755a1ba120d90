/** Telemetry: its requests, timers and the end of a process depend on the runtime. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { createTelemetryClient, TelemetrySendError } from "stepwell/telemetry";
import { rejection, run, same } from "./cases.mjs";

const RUN = (process.env.RUNTIME_ARGS ?? "").split(" ").filter(Boolean);
const OBSERVED = fileURLToPath(new URL("observed.mjs", import.meta.url));

/** Takes telemetry; `answers` are statuses to begin with, and 0 is none at all. */
async function collector(...answers) {
  const events = [];
  const requests = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const isPacked = request.headers["content-encoding"] === "gzip";
    const body = isPacked ? gunzipSync(Buffer.concat(chunks)) : Buffer.concat(chunks);
    const batch = JSON.parse(body.toString());
    requests.push({ headers: request.headers, events: batch.events });
    const status = answers.shift() ?? 200;
    if (status === 0) return;
    if (status === 200) events.push(...batch.events);
    response.writeHead(status, { "retry-after": "0" });
    response.end(JSON.stringify({ accepted: batch.events.length, refusedTotal: 0 }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { events, requests, url, stop };
}

/** Runs the program that is observed; returns its exit code. */
async function ends(what, url) {
  const env = { ...process.env, STEPWELL_URL: url, STEPWELL_PROJECT_KEY: "sw_runtimes" };
  const child = spawn(process.execPath, [...RUN, OBSERVED, what], { env, stdio: "inherit" });
  const [code] = await once(child, "exit");
  return code;
}

await run("telemetry", {
  "steps are told, and give what their functions give": async () => {
    const { events, requests, url, stop } = await collector();
    const telemetry = createTelemetryClient({ url, projectKey: "sw_runtimes" });
    const observed = telemetry.run("checkout", { runId: "req_1", metadata: { password: "no" } });
    same(await observed.step("charge", async () => 7, { metadata: { orderId: "o-1" } }), 7);
    const thrown = Object.freeze({ why: "no" });
    same((await rejection(observed.step("ship", () => Promise.reject(thrown)))) === thrown, true);
    await observed.skip("wrap");
    same(await telemetry.close("30s"), true);
    const told = events.map(({ step, status }) => `${step} ${status}`);
    same(told.slice(0, 2), ["charge running", "charge success"]);
    same(told.slice(2), ["ship running", "ship error", "wrap skipped"]);
    same(events[0].runMetadata, { password: "[redacted]" });
    same(events[3].error.message, '{"why":"no"}');
    same(requests[0].headers.authorization, "Bearer sw_runtimes");
    same(telemetry.stats, { recorded: 5, sent: 5, dropped: 0, pending: 0 });
    stop();
  },
  "what is not taken is sent again": async () => {
    const { events, requests, url, stop } = await collector(503, 503);
    const telemetry = createTelemetryClient({ url, projectKey: "sw_runtimes" });
    await telemetry.run("checkout", { runId: "req_1" }).step("charge", () => 7);
    same(await telemetry.flush("30s"), true);
    same([requests.length, events.length], [3, 2]);
    await telemetry.close();
    stop();
  },
  "errors of sending are thrown where that is asked for": async () => {
    const { url, stop } = await collector(200, 403);
    const options = { url, projectKey: "sw_runtimes", throwOnSendError: true };
    const telemetry = createTelemetryClient(options);
    const error = await rejection(telemetry.run("a", { runId: "1" }).step("s", () => 7));
    same([TelemetrySendError.is(error), error.value, error.status], [true, 7, 403]);
    await telemetry.close();
    stop();
  },
  "a process that ends sends what is left": async () => {
    const { events, url, stop } = await collector();
    for (const what of ["alone", "underway", "strict", "idle"])
      same([what, await ends(what, url)], [what, 0]);
    same(events.length, 18);
    same(await ends("exit", url), 7);
    same(events.length, 24);
    stop();
  },
  "no server keeps a process alive": async () => {
    const { url, stop } = await collector(0, 0, 0, 0);
    same([await ends("alone", url), await ends("alone", "http://127.0.0.1:1")], [0, 0]);
    stop();
  },
});
