/** Serves an app: what `app.serve()` does. */

import { randomBytes } from "node:crypto";
import { durationMillis } from "../duration.js";
import { ArgumentError } from "../errors.js";
import { keyOf } from "../key.js";
import { consoleLog } from "../log.js";
import { checkMembers, checkName } from "../name.js";
import type { Identity } from "../protocol/to-node.js";
import { registration } from "../registration.js";
import { handlersOf } from "../runtime.js";
import { addressesOf } from "../server-url.js";
import { CREDIT_BYTES } from "../session/session.js";
import type { App, Runner, ServeOptions } from "../types/app.js";
import type { Duration } from "../types/duration.js";
import { VERSION } from "../version.js";
import { socketUrl } from "./target.js";
import { RunnerWorker } from "./worker.js";

/** How long a shutdown waits for functions in progress, unless told otherwise. */
const DRAIN_MS = 30_000;

const SLOTS_DEFAULT = 1_000;
const SLOTS_MAX = 100_000;

const MEMBERS = ["url", "key", "runner", "slots", "build", "signal", "handleSignals", "log"];

/** See `App.serve`. */
export async function serve(app: App, options: ServeOptions): Promise<Runner> {
  const where = `serving app \`${app.name}\``;
  checkMembers(where, options, MEMBERS);
  const identity = identityOf(app, where, options);
  const silent = (): void => undefined;
  const worker = new RunnerWorker({
    urls: addressesOf(options.url, (url) => socketUrl(url, "/api/v1/worker")),
    key: keyOf(where, options.key),
    drainMs: DRAIN_MS,
    identity,
    handlers: handlersOf(app, identity.runner),
    show: options.log === false ? silent : (options.log ?? consoleLog()),
  });
  const stop = async (given: { readonly timeout?: Duration } = {}): Promise<void> => {
    worker.stop(given.timeout === undefined ? DRAIN_MS : durationMillis(given.timeout));
    await worker.closed;
  };
  const forget = stopOn(options, () => void stop().catch(silent));
  worker.closed.then(forget, forget);
  await worker.welcome;
  return {
    name: identity.runner,
    instance: identity.instance,
    closed: worker.closed,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function identityOf(app: App, where: string, options: ServeOptions): Identity {
  const { runner = app.name, slots = SLOTS_DEFAULT, build } = options;
  checkName(`${where}: the runner`, runner);
  if (build !== undefined) checkName(`${where}: the build`, build);
  if (!Number.isInteger(slots) || slots < 1 || slots > SLOTS_MAX) {
    const accepted = `accepted: a whole number from 1 to ${SLOTS_MAX}`;
    throw new ArgumentError(`${where}: slots is ${slots}; ${accepted}`);
  }
  return {
    sdk: `typescript/${VERSION}`,
    app: app.name,
    runner,
    instance: randomBytes(16).toString("hex"),
    ...(build !== undefined && { build }),
    slots,
    creditBytes: CREDIT_BYTES,
    workflows: app.workflows.map(registration),
  };
}

/** Stops when a signal of the process or of the options says so; returns what undoes that. */
function stopOn(options: ServeOptions, stop: () => void): () => void {
  const { signal, handleSignals = true } = options;
  const names = handleSignals ? (["SIGINT", "SIGTERM"] as const) : [];
  const forget = (): void => {
    for (const name of names) process.removeListener(name, onSignal);
    signal?.removeEventListener("abort", stop);
  };
  const onSignal = (): void => {
    // A second signal ends the process as if nobody had listened.
    for (const name of names) process.removeListener(name, onSignal);
    stop();
  };
  for (const name of names) process.on(name, onSignal);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();
  return forget;
}
