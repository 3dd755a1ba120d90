/**
 * What a runner says (docs/protocol.md), written as JSON text.
 *
 * Messages are put together from text that is JSON already: payloads are encoded once, when the code
 * gave them, and travel byte for byte. Members that have their default are left out.
 */

import type { Registration } from "../registration.js";
import type { RetryPolicy } from "../retry.js";
import type { Failure, Kind, SearchValue } from "./to-runner.js";

/** A text that is JSON. */
export type JsonText = string;

/** Who a runner is, and what it has. */
export interface Identity {
  readonly sdk: string;
  readonly app: string;
  readonly runner: string;
  readonly instance: string;
  readonly build?: string;
  /** How many runs may have code in progress at once, 1 to 100,000. */
  readonly slots: number;
  /** Bytes that the node may send before the first `credit`. */
  readonly creditBytes: number;
  readonly workflows: readonly Registration[];
}

/** A run that a runner still holds. */
export interface Resume {
  readonly run: string;
  readonly epoch: number;
  readonly nonce: string;
  /** How many ends of steps the runner was told. */
  readonly told: number;
  /** No code of it is in progress. */
  readonly idle: boolean;
}

/** What the first message about a step says of it. */
export interface Opening {
  readonly kind: Kind;
  readonly after: number;
  readonly agoUs: number;
  readonly input: JsonText | undefined;
  readonly metadata: JsonText | undefined;
  readonly compensable: "no" | "completed" | "unknown";
  /** What happens where the outcome of a function that starts at most once stays unknown. */
  readonly once: "block" | "throw" | undefined;
  readonly branch: { readonly race: string; readonly name: string } | undefined;
}

/** How an attempt of a step ended. */
export interface Ended {
  readonly n: number;
  readonly startedAgoUs: number;
  readonly endedAgoUs: number;
  readonly overlapped: boolean;
  readonly output: JsonText | undefined;
  readonly error: AttemptError | undefined;
  readonly open: JsonText | undefined;
}

/** Why an attempt failed, and what the code says about the next one. */
export interface AttemptError {
  readonly failure: Failure;
  readonly terminal: boolean;
  readonly timedOut: boolean;
  readonly retryInMs: number | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly totalTimeoutMs: number | undefined;
}

/** Why code and journal cannot go on together. */
export type BlockCause =
  | {
      readonly kind: "kindChanged";
      readonly step: string;
      readonly expected: Kind;
      readonly found: Kind;
    }
  | { readonly kind: "orderChanged"; readonly expected: string; readonly found: string }
  | { readonly kind: "cleanUpLost"; readonly steps: readonly string[] };

/** A line that code logged. */
export interface LogLine {
  readonly agoUs: number;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
}

function member(name: string, text: JsonText | undefined): string {
  return text === undefined ? "" : `,"${name}":${text}`;
}

/** Writes the first message of a connection. */
export function hello(identity: Identity, resume: readonly Resume[]): string {
  const { sdk, app, runner, instance, build, slots, creditBytes, workflows } = identity;
  const fixed = { protocol: 1, sdk, app, runner, instance, build, slots, creditBytes, workflows };
  const head = JSON.stringify(fixed).slice(0, -1);
  if (resume.length === 0) return `{"hello":${head}}}`;
  const held = resume.map(
    ({ run, epoch, nonce, told, idle }) =>
      `{"run":${JSON.stringify(run)},"epoch":${epoch},"nonce":${nonce},"told":${told},"idle":${idle}}`,
  );
  return `{"hello":${head},"resume":[${held.join(",")}]}}`;
}

/** Writes a heartbeat; `k` grows on each connection. */
export function ping(k: number): string {
  return `{"ping":{"k":${k}}}`;
}

/** Writes that so many bytes were handled. */
export function credit(bytes: number): string {
  return `{"credit":{"bytes":${bytes}}}`;
}

/** Writes that the runner stops. */
export function drain(): string {
  return '{"drain":{}}';
}

/** Writes a step's opening. */
export function opening(open: Opening): JsonText {
  let text = `{"kind":"${open.kind}","after":${open.after},"agoUs":${open.agoUs}`;
  text += member("input", open.input) + member("metadata", open.metadata);
  if (open.compensable !== "no") text += `,"compensable":"${open.compensable}"`;
  if (open.once !== undefined) text += `,"once":{"onUnknown":"${open.once}"}`;
  if (open.branch !== undefined) text += `,"branch":${JSON.stringify(open.branch)}`;
  return `${text}}`;
}

/** Writes that a function still runs. `step` is JSON text, as in all that follow. */
export function started(
  a: number,
  step: JsonText,
  told: { n: number; agoUs: number; overlapped: boolean; open: JsonText | undefined },
): string {
  const overlapped = told.overlapped ? ',"overlapped":true' : "";
  const open = member("open", told.open);
  return `{"started":{"a":${a},"step":${step},"n":${told.n},"agoUs":${told.agoUs}${overlapped}${open}}}`;
}

/** Writes that an attempt ended. */
export function ended(a: number, step: JsonText, told: Ended): string {
  let text = `{"ended":{"a":${a},"step":${step},"n":${told.n},"startedAgoUs":${told.startedAgoUs},"endedAgoUs":${told.endedAgoUs}`;
  if (told.overlapped) text += ',"overlapped":true';
  text += member("output", told.output);
  if (told.error !== undefined) text += attemptError(told.error);
  return `${text}${member("open", told.open)}}}`;
}

function attemptError(told: AttemptError): string {
  let text = `,"error":${JSON.stringify(told.failure)}`;
  if (told.terminal) text += ',"terminal":true';
  if (told.timedOut) text += ',"timedOut":true';
  if (told.retryInMs !== undefined) text += `,"retryInMs":${told.retryInMs}`;
  if (told.retry !== undefined) text += `,"retry":${JSON.stringify(told.retry)}`;
  if (told.totalTimeoutMs !== undefined) text += `,"totalTimeoutMs":${told.totalTimeoutMs}`;
  return text;
}

/** Writes a message whose members are those that are common to steps, and others as JSON text. */
export function ofStep(
  name: "sleep" | "skip" | "wait" | "emit" | "invoke" | "race" | "dropped",
  a: number,
  step: JsonText,
  members: Readonly<Record<string, JsonText | undefined>>,
): string {
  let text = `{"${name}":{"a":${a},"step":${step}`;
  for (const key in members) text += member(key, members[key]);
  return `${text}}}`;
}

/** Writes which branch of a race settled first. */
export function raced(
  a: number,
  step: JsonText,
  told: { agoUs: number; output: JsonText | undefined; error: Failure | undefined },
): string {
  const error = told.error === undefined ? undefined : JSON.stringify(told.error);
  const end = member("output", told.output) + member("error", error);
  return `{"raced":{"a":${a},"step":${step},"agoUs":${told.agoUs}${end}}}`;
}

/** Writes what was found out about a start (§4.5). */
export function verified(
  a: number,
  step: JsonText,
  told: { n: number; verdict: string; output: JsonText | undefined },
): string {
  const output = member("output", told.output);
  return `{"verified":{"a":${a},"step":${step},"n":${told.n},"verdict":"${told.verdict}"${output}}}`;
}

/** Writes lines that code logged; without a step they are the handler's. */
export function log(a: number, step: JsonText | undefined, lines: readonly LogLine[]): string {
  return `{"log":{"a":${a}${member("step", step)},"lines":${JSON.stringify(lines)}}}`;
}

/** Writes a changed order of steps (§5.4). */
export function order(a: number, expected: string, found: string): string {
  return JSON.stringify({ order: { a, expected, found } });
}

/** Writes that code and journal cannot go on together (§4.10). */
export function block(a: number, cause: BlockCause): string {
  return JSON.stringify({ block: { a, cause } });
}

/** Writes a message about a run that says nothing more. */
export function ofRun(name: "idle" | "busy", a: number): string {
  return `{"${name}":{"a":${a}}}`;
}

/** Writes that the runner dropped its copy of a run. */
export function released(a: number, seen: number, ready: boolean): string {
  return `{"released":{"a":${a},"seen":${seen}${ready ? ',"ready":true' : ""}}}`;
}

/** Writes how the handler ended. */
export function finished(
  a: number,
  end: { output?: JsonText; error?: Failure; continueAs?: { input: JsonText | undefined } },
): string {
  let text = member("output", end.output);
  if (end.error !== undefined) text += `,"error":${JSON.stringify(end.error)}`;
  if (end.continueAs !== undefined) {
    const input = end.continueAs.input;
    text += `,"continueAs":{${input === undefined ? "" : `"input":${input}`}}`;
  }
  return `{"finished":{"a":${a}${text}}}`;
}

/** Writes search attributes that code sets (§9.4); `null` takes one away. */
export function search(a: number, set: Readonly<Record<string, SearchValue | null>>): string {
  return JSON.stringify({ search: { a, set } });
}
