/** Acts on all runs that a filter names. */

import { type BulkAct, type DryRun, type Job, readDryRun, readJob } from "../model/bulk.ts";
import { post, type Signed } from "./act.ts";

/** What is to be done to which runs. */
export interface BulkRequest {
  readonly act: BulkAct;
  readonly filter: Readonly<Record<string, string>>;
}

/** Asks which runs an act would reach; nothing is done. */
export async function tryBulk(request: BulkRequest, signal: AbortSignal): Promise<DryRun> {
  return readDryRun(await post("/bulk", { ...request, dryRun: true }, signal));
}

/** Begins an act. The same `key` begins it once, however often it is sent. */
export async function beginBulk(
  request: BulkRequest,
  signed: Signed,
  key: string,
  signal: AbortSignal,
): Promise<Job> {
  return readJob(await post("/bulk", { ...request, ...signed, key }, signal));
}

/** Stops an act; what it has done stays done. */
export async function stopBulk(id: string, signal: AbortSignal): Promise<Job> {
  return readJob(await post(`/bulk/${encodeURIComponent(id)}/stop`, {}, signal));
}
