/**
 * A stand-in for the server, for tests in one process: one node, one app, one process that serves it, no
 * store, and a clock that the test moves.
 *
 * | file | holds |
 * | --- | --- |
 * | `node` | requests, who holds which run, time |
 * | `run` | the state of a run |
 * | `said` | the messages of a runner |
 * | `steps`, `once`, `events`, `children` | what runners say of steps |
 * | `ends` | how runs end, and what is done then |
 * | `activation`, `pause` | what a process is given with a run; when an attempt is tried again |
 */

import { RefusedError } from "../../errors.js";
import type { ToRunner, Welcome } from "../../protocol/to-runner.js";
import type { Registration } from "../../registration.js";
import { VERSION } from "../../version.js";
import { activation } from "./activation.js";
import { onInvoke } from "./children.js";
import { cancelRun, decideEnd, endAsDecided, onFinished, stopCleanUp } from "./ends.js";
import {
  accept,
  checkTriggers,
  type NodeEvent,
  onEmit,
  onWait,
  type Sends,
  timeOutWait,
} from "./events.js";
import { loseStart, onVerified } from "./once.js";
import { NodeRun, type NodeStep, type Start } from "./run.js";
import type { Cause, FromRunner, OfStep } from "./said.js";
import * as steps from "./steps.js";

/** A process is never silent here: it lives, or the test has killed it. */
const FOR_EVER_MS = 1e15;

/** What a node says that lets nobody go for being silent; the limits are the defaults of §12. */
export const WELCOME: Welcome = {
  server: VERSION,
  pingMs: FOR_EVER_MS,
  ttlMs: FOR_EVER_MS,
  lingerMs: 1_000,
  graceMs: 30_000,
  payloadBytesMax: 4 * 1024 * 1024,
  stepsMax: 10_000,
  branchesMax: 1_000,
  creditBytes: Number.MAX_SAFE_INTEGER,
};

/** See above. */
export class Node {
  /** Engine time, in microseconds since 1970. */
  now: number;
  readonly app: string;
  readonly workflows: ReadonlyMap<string, Registration>;
  readonly runs: Map<string, NodeRun> = new Map();
  readonly events: NodeEvent[] = [];
  /** The place of the newest event. */
  seq = 0;
  #runner: string | undefined = undefined;
  #said: ToRunner[] = [];
  #later: (() => void)[] = [];
  readonly #held: Map<number, NodeRun> = new Map();
  #nextHandle = 1;
  #ids = 0;

  constructor(app: string, workflows: readonly Registration[], now: number) {
    workflows.forEach(checkTriggers);
    this.app = app;
    this.workflows = new Map(workflows.map((one) => [one.name, one]));
    this.now = now;
  }

  /** Returns 32 digits that were not returned before; the same test gets the same. */
  nextHex(): string {
    return (++this.#ids).toString(16).padStart(32, "0");
  }

  // Requests.

  /** Starts a run, or returns the one that the key started. */
  start(name: string, start: Omit<Start, "depth" | "deadline">, timeoutMs?: number): NodeRun {
    const workflow = this.workflows.get(name);
    if (workflow === undefined) {
      const text = `no runner has ever registered a workflow \`${name}\``;
      throw new RefusedError(`SW2002: ${text}`, { code: "SW2002", status: 404 });
    }
    const first = start.key === undefined ? undefined : this.#keyed(name, start.key);
    if (first !== undefined) {
      if (JSON.stringify(first.start.input) === JSON.stringify(start.input)) return first;
      const text = `the key \`${start.key}\` started ${first.id} with another input`;
      throw new RefusedError(`SW2004: ${text}`, { code: "SW2004", status: 409 });
    }
    const limit = timeoutMs ?? workflow.timeoutMs;
    const begins = start.notBefore ?? this.now;
    const deadline = limit === undefined ? undefined : begins + limit * 1_000;
    const run = this.startRun(workflow, { ...start, depth: 0, deadline });
    this.#settle();
    return run;
  }

  #keyed(workflow: string, key: string): NodeRun | undefined {
    return [...this.runs.values()].find(
      (run) => run.workflow.name === workflow && run.start.key === key && run.first === run.id,
    );
  }

  /** Starts a run in what happens now. */
  startRun(workflow: Registration, start: Start): NodeRun {
    const place = { at: this.now, seq: this.seq };
    const run = new NodeRun(`run_${this.nextHex()}`, workflow, start, place);
    this.runs.set(run.id, run);
    return run;
  }

  /** Sends an event; returns its id. */
  send(sent: Sends): string {
    const id = accept(this, sent);
    this.#settle();
    return id;
  }

  /** Cancels a run (§7.1). */
  cancel(run: NodeRun): void {
    cancelRun(this, run);
    this.#settle();
  }

  // The process.

  /** A process connects. */
  connect(runner: string): void {
    this.#runner = runner;
    this.say({ welcome: WELCOME });
    this.#settle();
  }

  /** The process is gone, and with it what it did not say. */
  disconnect(): void {
    this.#runner = undefined;
    this.#said = [];
    this.#held.clear();
    for (const run of this.runs.values()) if (run.held !== undefined) this.#lose(run);
    this.#settle();
  }

  #lose(run: NodeRun): void {
    this.let(run);
    run.isReady = run.phase === "forward" || run.phase === "cleaning";
    if (run.phase === "ending") endAsDecided(this, run, "evict");
  }

  /** Takes what it says; what it says of a run that it does not hold changes nothing (§4.7). */
  onMessage(message: FromRunner): void {
    const [body] = Object.values(message) as ({ readonly a?: number } | undefined)[];
    const run = this.#held.get(body?.a ?? 0);
    if (run?.held === undefined) return;
    if (!run.held.isEvicted || message.released !== undefined) this.#act(run, message);
    this.#settle();
  }

  #act(run: NodeRun, message: FromRunner): void {
    const [body] = Object.values(message) as (Partial<OfStep> | undefined)[];
    if (steps.beganTooLate(this, run, body ?? {})) return;
    const { started, ended, sleep, skip, wait, emit, invoke, dropped, race, raced } = message;
    if (ended !== undefined) steps.onEnded(this, run, ended);
    else if (started !== undefined) steps.onStarted(this, run, started);
    else if (sleep !== undefined) steps.onSleep(this, run, sleep);
    else if (skip !== undefined) steps.onSkip(this, run, skip);
    else if (wait !== undefined) onWait(this, run, wait);
    else if (emit !== undefined) onEmit(this, run, emit);
    else if (invoke !== undefined) onInvoke(this, run, invoke);
    else if (dropped !== undefined) steps.onDropped(this, run, dropped);
    else if (race !== undefined) steps.onRace(this, run, race);
    else if (raced !== undefined) steps.onRaced(this, run, raced);
    else this.#actOnRun(run, message);
  }

  #actOnRun(run: NodeRun, message: FromRunner): void {
    const { verified, log, search, order, block, idle, busy, released, finished } = message;
    if (finished !== undefined) onFinished(this, run, finished);
    else if (released !== undefined) this.#onReleased(run, released);
    else if (verified !== undefined) onVerified(this, run, verified);
    else if (block !== undefined) this.block(run, block.cause);
    else if (idle !== undefined || busy !== undefined) {
      if (run.held !== undefined) run.held.isIdle = idle !== undefined;
    } else if (log !== undefined) {
      const of = log.step === undefined ? {} : { step: log.step };
      run.logs.push(
        ...log.lines.map(({ level, message: text }) => ({ ...of, level, message: text })),
      );
    } else if (search !== undefined) {
      for (const [name, value] of Object.entries(search.set)) {
        if (value === null) run.search.delete(name);
        else run.search.set(name, value);
      }
    } else if (order !== undefined) {
      const { expected, found } = order;
      const isKnown = run.orders.some((one) => one.expected === expected && one.found === found);
      if (!isKnown) run.orders.push({ expected, found });
    }
  }

  #onReleased(run: NodeRun, { seen, ready }: { seen: number; ready?: boolean }): void {
    const wasEvicted = run.held?.isEvicted === true;
    this.let(run);
    if (run.phase === "ending") endAsDecided(this, run, "evict");
    if (run.phase !== "forward" && run.phase !== "cleaning") return;
    const open = [...run.byId.values()].filter((step) => !step.hasEnded);
    const waits = open.some((step) => step.wakeAt !== undefined || step.status === "waiting");
    const isDoubted = open.some((step) => step.inDoubt);
    run.isReady = wasEvicted || ready === true || seen < run.ends.length || !waits || isDoubted;
  }

  /** The run is held by nobody. */
  let(run: NodeRun): void {
    if (run.held === undefined) return;
    this.#held.delete(run.held.a);
    run.held = undefined;
    for (const step of run.steps) {
      if (!step.isRunning) continue;
      step.isRunning = false;
      if (step.open.once !== undefined) loseStart(step);
      else if (step.status === "running") step.status = "pending";
    }
  }

  /** Takes a run from its process. */
  evict(run: NodeRun): void {
    const { holder } = run;
    if (holder === undefined) return;
    holder.isEvicted = true;
    this.say({ evict: { a: holder.a } });
  }

  /** The run needs another build, or a person (§4.10). */
  block(run: NodeRun, cause: Cause): void {
    if (run.phase !== "forward" && run.phase !== "cleaning") return;
    run.phase = "blocked";
    run.blockedBy = cause;
    run.isReady = false;
    this.evict(run);
  }

  /** A child is not wanted any more; it is known by the first run of its chain. */
  cancelChild(first: string): void {
    this.later(() => {
      for (const run of [...this.runs.values()]) if (run.first === first) cancelRun(this, run);
    });
  }

  /** Says something to the process. */
  say(message: ToRunner): void {
    if (this.#runner !== undefined) this.#said.push(message);
  }

  /** Returns what was said and not taken. */
  said(): readonly ToRunner[] {
    return this.#said;
  }

  /** Takes what was said. */
  take(): ToRunner[] {
    const said = this.#said;
    this.#said = [];
    return said;
  }

  /** Tells whether a process has code of a run in progress. */
  isBusy(): boolean {
    return [...this.#held.values()].some((run) => run.held?.isIdle === false);
  }

  /** Does something once what happens now has happened: runs change one at a time. */
  later(call: () => void): void {
    this.#later.push(call);
  }

  /** Ends what happens now: what it led to happens too, and runs that are ready are given out. */
  #settle(): void {
    for (let next = this.#later.shift(); next !== undefined; next = this.#later.shift()) next();
    if (this.#runner === undefined) return;
    for (const run of this.runs.values()) if (this.#mayGive(run)) this.#give(run);
  }

  #mayGive(run: NodeRun): boolean {
    const { runner = this.#runner } = run.start;
    const wants = run.phase === "forward" || run.phase === "cleaning";
    return wants && run.isReady && run.held === undefined && runner === this.#runner;
  }

  #give(run: NodeRun): void {
    const a = this.#nextHandle++;
    run.epoch++;
    run.isReady = false;
    run.held = { a, isIdle: false, isEvicted: false };
    this.#held.set(a, run);
    this.say({ activate: activation(run, a, this.now) });
  }

  // Time.

  /** Returns when something is due; infinite where nothing is. */
  nextDue(): number {
    return Math.min(...[...this.runs.values()].map(dueOf), Number.POSITIVE_INFINITY);
  }

  /** Does what is due. */
  onTime(): void {
    for (const run of [...this.runs.values()]) if (dueOf(run) <= this.now) this.#fire(run);
    this.#settle();
  }

  #fire(run: NodeRun): void {
    const { now } = this;
    if (run.phase === "ending") {
      endAsDecided(this, run, "evict");
    } else if ((run.bound ?? Number.POSITIVE_INFINITY) <= now) {
      if (run.plan === undefined) decideEnd(this, run, "timed_out");
      else stopCleanUp(this, run);
    } else {
      if ((run.delayedUntil ?? Number.POSITIVE_INFINITY) <= now) {
        run.delayedUntil = undefined;
        run.isReady = true;
      }
      for (const step of dueSteps(run, now)) this.#wake(run, step);
    }
  }

  #wake(run: NodeRun, step: NodeStep): void {
    if (step.status === "sleeping") steps.endStep(this, run, step, { status: "completed" });
    else if (step.parked !== undefined) timeOutWait(this, run, step);
    // A process that holds the run keeps the time of its backoffs itself.
    else if (run.held === undefined) run.isReady = true;
  }
}

/** Returns the steps of a run that are due, by instant, then position. */
function dueSteps(run: NodeRun, now: number): NodeStep[] {
  const due = [...run.byId.values()].filter((step) => (wakeOf(run, step) ?? now + 1) <= now);
  return due.sort((a, b) => (a.wakeAt ?? 0) - (b.wakeAt ?? 0) || a.position - b.position);
}

function wakeOf(run: NodeRun, step: NodeStep): number | undefined {
  if (step.hasEnded) return undefined;
  const isEngines = step.status === "sleeping" || step.parked !== undefined;
  return isEngines || (run.held === undefined && !run.isReady) ? step.wakeAt : undefined;
}

function dueOf(run: NodeRun): number {
  const never = Number.POSITIVE_INFINITY;
  if (run.phase === "ended") return never;
  if (run.phase === "ending")
    return run.children().length > 0 ? never : (run.decided?.until ?? never);
  const bound = run.bound ?? never;
  if (run.phase === "blocked") return bound;
  const wakes = [...run.byId.values()].map((step) => wakeOf(run, step) ?? never);
  return Math.min(bound, run.delayedUntil ?? never, ...wakes);
}
