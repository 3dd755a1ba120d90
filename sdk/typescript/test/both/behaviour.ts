/** What a behaviour is. */

import type { Workflow } from "stepwell";
import type { Stage } from "./stage.js";

/** Something that the stand-in and a real server are to do in the same way. */
export interface Behaviour {
  readonly name: string;
  readonly workflows: readonly Workflow[];
  /** Makes the world outside, for each time that it is played. */
  deps?(): unknown;
  play(stage: Stage): Promise<void>;
}

/** Stands where there is always a value. */
export function never(): never {
  throw new Error("this is always given");
}
