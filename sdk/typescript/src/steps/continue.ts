/** A run that another one goes on with (§2.3). */

import { LimitError, NonRetryableError } from "../errors.js";
import { encode } from "../json.js";
import { isOver } from "../machine/bytes.js";
import type { Code } from "../machine/code.js";
import type { Core } from "../machine/core.js";
import { onReturned } from "../machine/rest.js";
import type { JsonText } from "../protocol/to-node.js";
import { failed } from "./call.js";

/** Thrown through the handler: the run completes, and another one goes on with this input. */
export class ContinueAs extends Error {
  override readonly name: string = "ContinueAs";
  readonly input: JsonText | undefined;

  constructor(input: JsonText | undefined) {
    super("the handler has to let this through: another run goes on with it");
    this.input = input;
  }
}

/**
 * Returns what a handler ends with that goes on as another run.
 *
 * @throws SerializationError, LimitError where the input cannot be kept
 */
export function continued(core: Core, code: Code, input: unknown): ContinueAs {
  // Code that catches it in a loop would never return: the run ends here, and not by an error that is
  // caught as well.
  if (code.hasContinued) onReturned(core, code, failed(core, caught(core)));
  const what = "the input of the run that goes on";
  const runId = core.info.run;
  const text = encode(what, input, { runId });
  const max = core.terms.payloadBytesMax;
  if (isOver(text, max)) {
    const bytes = Buffer.byteLength(text ?? "");
    throw new LimitError(`${what} has ${bytes} bytes; the limit is ${max}`, { runId });
  }
  code.hasContinued = true;
  return new ContinueAs(text);
}

/** What a handler ends with that caught what `ctx.continueAs` throws: the run is not lost without a word. */
export function caught(core: Core): Error {
  const text =
    "what `ctx.continueAs` throws was caught, so no other run goes on: call it outside of `try`, or throw " +
    "it again";
  return new NonRetryableError(text, { runId: core.info.run });
}
