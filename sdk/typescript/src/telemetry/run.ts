/** A run that is observed, and the calls of its steps (§10.2). */

import { TelemetrySendError } from "../errors/telemetry.js";
import type { ObservedRun, ObservedStepOptions } from "../types/telemetry.js";
import type { Head } from "./event.js";
import type { Recorder } from "./recorder.js";

/** A run of which nothing is told: functions run. */
export class SilentRun implements ObservedRun {
  readonly flowKey: string;
  readonly runId: string;

  constructor(flowKey: string, runId: string) {
    this.flowKey = flowKey;
    this.runId = runId;
  }

  async step<T>(_key: string, fn: () => T): Promise<Awaited<T>> {
    return await fn();
  }

  async skip(): Promise<void> {}
}

/** A run whose steps are told. */
export class ToldRun implements ObservedRun {
  readonly flowKey: string;
  readonly runId: string;
  readonly #recorder: Recorder;
  readonly #head: Head;

  constructor(flowKey: string, runId: string, recorder: Recorder, head: Head) {
    this.flowKey = flowKey;
    this.runId = runId;
    this.#recorder = recorder;
    this.#head = head;
  }

  async step<T>(key: string, fn: () => T, options?: ObservedStepOptions): Promise<Awaited<T>> {
    const { call, told } = this.#recorder.begin(this.#head, key, metadataOf(options));
    // §10.3: nothing is awaited but the function, unless errors of sending are thrown.
    if (told !== undefined) await told;
    if (call === undefined) return await fn();
    let value: Awaited<T>;
    try {
      value = await fn();
    } catch (thrown) {
      const end = this.#recorder.fail(call, thrown);
      // §10.3: the function's own error wins; that of sending went to `onError`.
      if (end !== undefined) await end.catch(() => undefined);
      throw thrown;
    }
    const end = this.#recorder.succeed(call);
    if (end !== undefined) await end.catch((error: unknown) => throwWith(error, value));
    return value;
  }

  async skip(key: string): Promise<void> {
    await this.#recorder.skip(this.#head, key);
  }
}

/** Throws an error of sending with what the function gave. */
function throwWith(error: unknown, value: unknown): never {
  if (!TelemetrySendError.is(error)) throw error;
  const { message, events, isLost, status } = error;
  throw new TelemetrySendError(message, { events, isLost, status, value });
}

function metadataOf(options: ObservedStepOptions | undefined): unknown {
  try {
    return options?.metadata;
  } catch {
    return undefined;
  }
}
