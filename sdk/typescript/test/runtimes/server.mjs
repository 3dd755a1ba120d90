/** A served app and a real server: what differs between runtimes is processes, threads and sockets. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { app, ConnectionError, client, RefusedError, workflow } from "stepwell";
import { serverBinary, TestServer } from "stepwell/test";
import { rejection, run, same } from "./cases.mjs";
import { kill, RUN, Workshop } from "./workshop.mjs";

const SETTINGS = { args: ["--runner-ttl", "1500ms", "--ping", "300ms"] };

let server = await TestServer.start(SETTINGS);
const stepwell = client({ url: server.url });

/** Makes a case of what happens in a workshop. */
function inWorkshop(call) {
  return async () => {
    const workshop = new Workshop(server.url);
    try {
      await call(workshop);
    } catch (error) {
      if (error instanceof Error) error.stack += `\nrunners said: ${workshop.lines.join("\n")}`;
      throw error;
    } finally {
      await workshop.close();
    }
  };
}

function afterCrash(point) {
  return inWorkshop(async (workshop) => {
    const first = await workshop.runner(point);
    const crashed = once(first, "exit");
    const started = await stepwell.start("chain", { n: 1 });
    same((await crashed)[1], "SIGKILL");
    await workshop.runner(point);
    const { a, sum } = await started.wait();
    same([a, sum], [{ n: 1, at: "1970-01-01T00:00:00.000Z" }, 9]);
    same(workshop.calls().filter((call) => call === "a").length, 1);
  });
}

const double = workflow({ name: "double" }, async ({ input, step }) => {
  return await step.run("double", () => input * 2);
});

/** Serves in this process, without a word and without taking its signals. */
async function serveHere(url, options = {}) {
  return await app("here", { workflows: [double] }).serve({
    url,
    log: false,
    handleSignals: false,
    ...options,
  });
}

/** Answers every request for a WebSocket with a refusal of the protocol's version. */
async function refusingServer() {
  const http = createServer();
  http.on("upgrade", (_request, socket) => {
    const body = JSON.stringify({ code: "SW3002", detail: "this server speaks stepwell.v9" });
    const head = [
      "HTTP/1.1 400 Bad Request",
      `content-length: ${body.length}`,
      "connection: close",
    ];
    socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  });
  return { url: await listen(http, 0), close: () => http.close() };
}

async function listen(http, port) {
  http.listen(port, "127.0.0.1");
  await once(http, "listening");
  return `http://127.0.0.1:${http.address().port}`;
}

function turn(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

await run("server", {
  "steps, sleepUntil, waits, emit, invoke, race, skip": inWorkshop(async (workshop) => {
    await workshop.runner();
    same(await stepwell.startAndWait("engine", { parcel: "p1" }), {
      nothing: null,
      value: 7,
      fail: "WaitTimeoutError",
      ok: { by: "ann" },
      scanned: { gate: 3 },
      doubled: { doubled: 42 },
      broken: ["RangeError", true],
      won: { winner: "quick", value: 1 },
    });
    same(await stepwell.startAndWait("loop", { n: 1 }), "ended at 3");
  }),

  "parallel steps and a sleep": inWorkshop(async (workshop) => {
    await workshop.runner();
    same((await stepwell.startAndWait("chain", { n: 1 })).sum, 9);
    same(workshop.calls().toSorted(), ["a", "b", "c", "d"]);
  }),

  "retry, no retry, time limit of an attempt": inWorkshop(async (workshop) => {
    await workshop.runner();
    same(await stepwell.startAndWait("retries", null), {
      third: 3,
      failed: [3, "TypeError", "step `fails` failed after 3 attempts: never"],
      stopped: 1,
      late: ["StepTimeoutError", 2],
    });
    same(workshop.calls(), ["third 1", "third 2", "third 3"]);
  }),

  "compensation and onFailure": inWorkshop(async (workshop) => {
    await workshop.runner();
    const started = await stepwell.start("saga", {});
    const error = await rejection(started.wait());
    same(
      [error.name, error.cause.name, error.cause.message],
      ["RunFailedError", "RangeError", "out of stock"],
    );
    same(workshop.calls(), [
      "reserve",
      "charge",
      "undo charge t",
      "undo reserve 7",
      "onFailure RangeError reserve,charge,pay [] failed",
    ]);
  }),

  "waitForEvent with client.send, over a runner killed by kill -9": inWorkshop(async (workshop) => {
    const first = await workshop.runner();
    const started = await stepwell.start("gate", { order: "o-1" });
    // A function whose result is not saved yet would be called again.
    while ((await started.status()) !== "waiting") await turn(20);
    await kill(first);
    await workshop.runner();
    same((await stepwell.send("opened", { order: "o-2", by: "bob" })).accepted, true);
    same((await stepwell.send("opened", { order: "o-1", by: "ann" })).accepted, true);
    same(await started.wait(), { asked: "o-1", by: "ann" });
    same(workshop.calls(), ["ask"]);
  }),

  "kill -9 inside a function": afterCrash("b:after"),
  "kill -9 after a sleep": afterCrash("nap:after"),

  "kill -9 inside a clean-up": inWorkshop(async (workshop) => {
    const first = await workshop.runner("undo reserve:after");
    const crashed = once(first, "exit");
    const started = await stepwell.start("saga", {});
    await crashed;
    await workshop.runner("undo reserve:after");
    same((await rejection(started.wait())).name, "RunFailedError");
    const calls = workshop.calls();
    same(calls.filter((call) => call === "undo charge t").length, 1);
    same(calls.at(-1), "onFailure RangeError reserve,charge,pay [] failed");
  }),

  "a function that starts at most once": inWorkshop(async (workshop) => {
    const first = await workshop.runner("wire:after");
    const crashed = once(first, "exit");
    const started = await stepwell.start("once", null);
    await crashed;
    await workshop.runner();
    same(await started.wait(), "verified");
    same(workshop.calls(), ["wire", "verify"]);
  }),

  "a blocked thread keeps its grant: 12 s with a grant of 1.5 s": inWorkshop(async (workshop) => {
    await workshop.runner();
    await workshop.runner();
    const started = await stepwell.start("block", { ms: 12_000 });
    // The thread of the connection says so while the other one is blocked.
    await workshop.said(/a function has blocked the event loop for 1\d s/);
    same(await started.status(), "running");
    same(await started.wait(), "unblocked");
    await workshop.said(/the event loop was blocked for 1\d s by a function/);
    same(workshop.calls(), ["block"]);
  }),

  "SIGTERM: what runs ends, the run goes on elsewhere": inWorkshop(async (workshop) => {
    const first = await workshop.runner();
    const started = await stepwell.start("chain", { n: 2 });
    await workshop.called(1);
    const gone = once(first, "exit");
    // Deno shows the signal of `child.kill` as the child's end, however that ended.
    process.kill(first.pid, "SIGTERM");
    same(await gone, [0, null]);
    same(workshop.lines.includes("stopped"), true);
    await workshop.runner();
    same((await started.wait()).sum, 9);
    same(workshop.calls().toSorted(), ["a", "b", "c", "d"]);
  }),

  "a server that is killed and comes back": inWorkshop(async (workshop) => {
    await workshop.runner();
    const started = await stepwell.start("many", { n: 200 });
    await workshop.called(20);
    server = await server.restart();
    same(await started.wait(), 200);
    same(workshop.calls().length, 200);
  }),

  "what is logged is stored once": inWorkshop(async (workshop) => {
    await workshop.runner();
    const started = await stepwell.start("logs", null);
    await started.wait();
    const { steps } = await started.show();
    const talk = steps.find(({ id }) => id === "talk");
    same(
      talk.logs.map(({ message }) => message),
      ['said {"n":1}'],
    );
    same(workshop.lines.filter((line) => line.endsWith("begin")).length, 1);
  }),

  "a runner in this process: serve, stop, signal": async () => {
    const first = await serveHere(server.url);
    same(await stepwell.startAndWait(double, 4), 8);
    await first.stop();
    const abort = new AbortController();
    const second = await serveHere(server.url, { signal: abort.signal });
    same(await stepwell.startAndWait(double, 5), 10);
    abort.abort();
    await second.closed;
    same(
      (await stepwell.runners({ app: "here" })).filter(({ connected }) => connected),
      [],
    );
  },

  "a process that serves late is granted functions for longer than its first grant": async () => {
    // Its threads have clocks of their own on some runtimes: this one is older than a grant lasts.
    while (performance.now() < 3_000) await turn(100);
    const runner = await serveHere(server.url);
    const until = performance.now() + 3_000;
    for (let n = 0; performance.now() < until; n++) {
      same(await stepwell.startAndWait(double, n), 2 * n);
      await turn(200);
    }
    await runner.stop();
  },

  "a refused runner is told why": async () => {
    const refusing = await refusingServer();
    try {
      const error = await rejection(serveHere(refusing.url));
      same(RefusedError.is(error), true);
      same([error.code, error.status], ["SW3002", 400]);
      same(error.message.includes("this server speaks stepwell.v9"), true);
    } finally {
      refusing.close();
    }
  },

  "a client without a server: tries again what was not sent": async () => {
    const late = createServer((_request, response) => {
      response.writeHead(201, { "content-type": "application/json" });
      response.end('{"id":"run_1","created":true}');
    });
    const url = await listen(late, 0);
    await new Promise((resolve) => late.close(resolve));
    const error = await rejection(client({ url, retryFor: 0 }).start(double, 1));
    same(ConnectionError.is(error), true);

    // The first request finds nobody; the server is there before the next one.
    let tries = 0;
    const tried = async (...asked) => {
      tries++;
      try {
        return await fetch(...asked);
      } catch (error) {
        await listen(late, new URL(url).port);
        throw error;
      }
    };
    const started = await client({ url, fetch: tried }).start(double, 2);
    same([started.id, tries], ["run_1", 2]);
    late.closeAllConnections();
    late.close();
  },

  "the command finds the server, and ends as that does": async () => {
    const bin = fileURLToPath(
      new URL("dist/bin/stepwell.js", import.meta.resolve("stepwell/package.json")),
    );
    const { stdout } = await promisify(execFile)(process.execPath, [...RUN, bin, "--version"]);
    const direct = await promisify(execFile)(serverBinary(), ["--version"]);
    same(stdout, direct.stdout);

    const data = mkdtempSync(join(tmpdir(), "stepwell-runtimes-"));
    const place = ["--data", data, "--listen", "127.0.0.1:0"];
    const args = ["start", "--access", "loopback", ...place, "--log-format", "json"];
    const child = spawn(process.execPath, [...RUN, bin, ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const gone = once(child, "exit");
    try {
      for await (const line of createInterface({ input: child.stderr })) {
        if (line.includes("listening")) process.kill(child.pid, "SIGTERM");
      }
      same(await gone, [0, null]);
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  },
});

await server.stop();
