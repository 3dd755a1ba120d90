/** Statuses of steps in the words of Durablex; `spec/dialects.json` has them for every language. */

import type { StepStatus } from "../../client/views.js";
import type { DurablexStepStatus } from "../../types/dialects/durablex.js";

/** Says a status of a step (§3.1) in the words of Durablex, which are the native ones (§13.2). */
export function stepStatus(native: StepStatus): DurablexStepStatus {
  return native;
}
