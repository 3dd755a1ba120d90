/** A telemetry client under the name that Failpath has for it (§13.1). */

import { createTelemetryClient } from "../../telemetry/client.js";
import { membersOf } from "../../telemetry/members.js";
import type { FailpathClient, FailpathOptions } from "../../types/dialects/failpath.js";

/**
 * Makes a client that observes code (§10), as `createTelemetryClient` does. Without `projectKey` the key is that of
 * the variable `FAILPATH_PROJECT_KEY`, then that of `STEPWELL_PROJECT_KEY`, then that of `STEPWELL_KEY`.
 *
 * @throws `ArgumentError` with `throwOnSendError`, where there is no key, or what there is cannot be one
 */
export function createFailpathClient(options: FailpathOptions = {}): FailpathClient {
  const given: FailpathOptions = membersOf(options);
  // A variable that is empty is one that is not set.
  const projectKey = given.projectKey ?? (process.env.FAILPATH_PROJECT_KEY || undefined);
  return createTelemetryClient({ ...given, projectKey });
}
