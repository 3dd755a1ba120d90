/** The words of Failpath (§13). */

import type {
  ObservedRun,
  ObservedRunOptions,
  ObservedStepOptions,
  RecordedStatus,
  RecordedStep,
  TelemetryClient,
  TelemetryMetadata,
  TelemetryOptions,
} from "../telemetry.js";

/**
 * Options of `createFailpathClient` (§10.1). Without `projectKey` it is that of the variable `FAILPATH_PROJECT_KEY`,
 * then that of `STEPWELL_PROJECT_KEY`, then that of `STEPWELL_KEY`.
 */
export type FailpathOptions = TelemetryOptions;

/** Observes code, and sends what it sees in the background (§10). */
export type FailpathClient = TelemetryClient;

/** A run of a flow that is observed (§10.2). */
export type FailpathRun = ObservedRun;

/** Options of `client.run`. */
export type FailpathRunOptions = ObservedRunOptions;

/** Options of `run.step`. */
export type FailpathStepOptions = ObservedStepOptions;

/** A step that is told by hand, as `client.recordStep` takes it. */
export type FailpathStep = RecordedStep;

/** How a step stands that is told by hand. */
export type FailpathEventStatus = RecordedStatus;

/** Small facts beside a run or a step, without secrets. */
export type FailpathMetadata = TelemetryMetadata;

/** Where a step stands, in the words of Failpath (§13.2). */
export type FailpathStepStatus = "running" | "success" | "error" | "skipped";
