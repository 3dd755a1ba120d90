/** What people do by the API: every act is one request, and is done once its answer is here. */

import { answerTo } from "./ask.ts";

/** JSON as it was typed: numbers that JavaScript would round stay what they are. */
export class JsonText {
  constructor(readonly text: string) {}
}

/** Who acts and why, for the history of the run. */
export interface Signed {
  readonly by: string;
  readonly reason: string;
}

/** The acts that need nothing but a signature. */
export type PlainAct = "cancel" | "pause" | "resume" | "retry" | "terminate";

/** How a step ended whose outcome nobody else knows. */
export type Resolution =
  | { readonly outcome: "completed"; readonly output?: JsonText }
  | {
      readonly outcome: "failed";
      readonly error: { readonly name: string; readonly message: string };
    }
  | { readonly outcome: "notDone" };

export interface ForkRequest {
  readonly step: string;
  readonly input?: JsonText;
  readonly outputs?: Readonly<Record<string, JsonText>>;
}

export interface EventRequest {
  readonly event: string;
  readonly data?: JsonText;
  readonly match?: JsonText;
  readonly id?: string;
  readonly app?: string;
  readonly run?: string;
}

/** What the server says of an event that it took. */
export interface Sent {
  readonly id: string;
  /** False for an id that was seen before. */
  readonly accepted: boolean;
  /** For an event for one run: how many of its waits asked for it. */
  readonly delivered?: number;
  readonly reason?: string;
}

export interface StartRequest {
  readonly workflow: string;
  readonly app: string;
  readonly input?: JsonText;
  readonly key?: string;
  readonly delay?: string;
  readonly timeout?: string;
  readonly search?: JsonText;
}

/** Does an act that needs nothing but a signature. */
export async function operate(
  run: string,
  act: PlainAct,
  signed: Signed,
  signal: AbortSignal,
): Promise<void> {
  await post(`${at(run)}/${act}`, { ...signed }, signal);
}

/** Says how a step ended. */
export async function resolve(
  run: string,
  step: string,
  resolution: Resolution,
  signed: Signed,
  signal: AbortSignal,
): Promise<void> {
  await post(`${at(run)}/resolve`, { step, ...resolution, ...signed }, signal);
}

/** Deletes a run that has ended, with all that is known of it. */
export async function deleteRun(run: string, reason: string, signal: AbortSignal): Promise<void> {
  await remove(`${at(run)}?${new URLSearchParams({ reason })}`, signal);
}

/** Lets the runs of a restored server go on. */
export async function letRunsGo(signal: AbortSignal): Promise<void> {
  await post("/server/resume", {}, signal);
}

/** Starts a run again. Returns the new one's id. */
export async function rerun(
  run: string,
  input: JsonText | undefined,
  signed: Signed,
  signal: AbortSignal,
): Promise<string> {
  return idOf(await post(`${at(run)}/rerun`, { input, ...signed }, signal));
}

/** Starts a run that goes on from a step. Returns the new one's id. */
export async function fork(
  run: string,
  request: ForkRequest,
  signed: Signed,
  signal: AbortSignal,
): Promise<string> {
  return idOf(await post(`${at(run)}/fork`, { ...request, ...signed }, signal));
}

/** Sends an event. */
export async function sendEvent(request: EventRequest, signal: AbortSignal): Promise<Sent> {
  const answer = await post("/events", { ...request }, signal);
  const { id, accepted, delivered, reason } = (answer ?? {}) as Partial<Sent>;
  return {
    id: id ?? "",
    accepted: accepted ?? true,
    ...(delivered !== undefined && { delivered }),
    ...(reason !== undefined && { reason }),
  };
}

/** Starts a run. Returns its id, and whether this request made it. */
export async function startRun(
  request: StartRequest,
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly created: boolean }> {
  const answer = await post("/runs", { ...request }, signal);
  const { created } = (answer ?? {}) as { readonly created?: unknown };
  return { id: idOf(answer), created: created !== false };
}

/** Writes a request as JSON; what was typed as JSON goes as it was typed, what is undefined is left out. */
export function bodyText(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (Array.isArray(value)) return `[${value.map(bodyText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, one]) => `${JSON.stringify(name)}:${bodyText(one)}`).join(",")}}`;
}

/** Posts what is below `/api/v1`. */
export function post(path: string, body: object, signal: AbortSignal): Promise<unknown> {
  const headers = { accept: "application/json", "content-type": "application/json" };
  return answerTo(path, { method: "POST", headers, body: bodyText(body) }, signal);
}

/** Deletes what is below `/api/v1`. */
export function remove(path: string, signal: AbortSignal): Promise<unknown> {
  return answerTo(path, { method: "DELETE", headers: { accept: "application/json" } }, signal);
}

function at(run: string): string {
  return `/runs/${encodeURIComponent(run)}`;
}

/** The server is trusted for what it answers to an act; without an id there is nothing to go to. */
function idOf(answer: unknown): string {
  const { id } = (answer ?? {}) as { readonly id?: unknown };
  if (typeof id !== "string") throw new TypeError("the server's answer has no id");
  return id;
}
