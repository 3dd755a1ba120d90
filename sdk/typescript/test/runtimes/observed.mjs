/** A program that is observed, in a process of its own: what it does as it ends is its first argument. */

import { createTelemetryClient } from "stepwell/telemetry";

const ends = {
  /** Nothing is left to do. */
  async alone() {
    await steps(createTelemetryClient(), 3);
  },
  /** Nothing is left to do, and a request is on its way. */
  async underway() {
    const telemetry = createTelemetryClient();
    await steps(telemetry, 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await steps(telemetry, 2);
  },
  /** There was never anything to do. */
  async idle() {
    const telemetry = createTelemetryClient();
    telemetry.run("job", { runId: "1" });
    await telemetry.flush("60s");
  },
  /** As a program that goes by the guide. */
  async exit() {
    const telemetry = createTelemetryClient();
    await steps(telemetry, 3);
    await telemetry.flush("60s");
    process.exit(7);
  },
  /** As a server that is told to stop. */
  async signal() {
    const telemetry = createTelemetryClient();
    const holds = setInterval(() => undefined, 1_000);
    process.once("SIGTERM", async () => {
      await telemetry.close("60s");
      clearInterval(holds);
    });
    await steps(telemetry, 3);
    process.kill(process.pid, "SIGTERM");
  },
  /** Each event is awaited: the process does not end while one is on its way. */
  async strict() {
    await steps(createTelemetryClient({ throwOnSendError: true }), 3);
  },
  /** More clients than listeners that a process may have without a warning. */
  async many() {
    for (let n = 0; n < 30; n += 1) await steps(createTelemetryClient(), 1);
  },
};

async function steps(telemetry, count) {
  for (let n = 0; n < count; n += 1) {
    await telemetry.run("job", { runId: "1" }).step(`step-${n}`, () => n);
  }
}

await ends[process.argv[2]]();
