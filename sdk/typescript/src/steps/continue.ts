/** A run that another one goes on with (§2.3). */

import { LimitError } from "../errors.js";
import { encode } from "../json.js";
import { isOver } from "../machine/bytes.js";
import type { Core } from "../machine/core.js";
import type { JsonText } from "../protocol/to-node.js";

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
export function continued(core: Core, input: unknown): ContinueAs {
  const what = "the input of the run that goes on";
  const runId = core.info.run;
  const text = encode(what, input, { runId });
  const max = core.terms.payloadBytesMax;
  if (isOver(text, max)) {
    const bytes = Buffer.byteLength(text ?? "");
    throw new LimitError(`${what} has ${bytes} bytes; the limit is ${max}`, { runId });
  }
  return new ContinueAs(text);
}
