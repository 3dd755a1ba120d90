/** The state of a run in this process. */

import type { BlockCause } from "../protocol/to-node.js";
import type { Activate, SearchValue } from "../protocol/to-runner.js";
import type { CleanUp } from "./clean.js";
import type { Host, Terms } from "./host.js";
import { Queue } from "./queue.js";
import type { Line, Out, Outcome, Phase, State, Step } from "./state.js";

/** How many asked-for steps are in which state, so that a look at a run costs the same for all. */
export interface Counts {
  running: number;
  telling: number;
  due: number;
  waiting: number;
  verifying: number;
}

type Counted = keyof Counts;

function counted(state: State): Counted | undefined {
  switch (state) {
    case "running":
    case "telling":
    case "due":
    case "waiting":
    case "verifying":
      return state;
    case "asking":
      return "telling";
    default:
      return undefined;
  }
}

/** What is known of a run from its activation on. */
export interface Info extends Omit<Activate, "ended" | "open" | "more" | "cleanUp" | "a"> {
  /** The workflow's version in this process. */
  readonly version: string | undefined;
  /** A changed order of steps blocks the run (§4.10). */
  readonly strict: boolean;
}

/** The connection that holds a run. */
export interface Attached {
  /** The run's handle on it. */
  readonly a: number;
  /** Which connection it is. */
  readonly generation: number;
}

/** The state of a run in this process. What happens to it stands in the files beside. */
export class Core {
  readonly info: Info;
  readonly host: Host;
  readonly terms: Terms;
  phase: Phase = "loading";
  /** In the phase `leaving`: until when functions in flight are awaited. */
  leavingUntil = 0;
  attached: Attached | undefined;
  readonly steps: Step[] = [];
  readonly #byId: Map<string, Step> = new Map();
  readonly counts: Counts = { running: 0, telling: 0, due: 0, waiting: 0, verifying: 0 };
  /** Steps that have ended, in the recorded order; their ends are not delivered yet. */
  readonly queue: Queue<Step> = new Queue();
  /**
   * Steps that an earlier run of the handler completed (§6.5), in the recorded order: the first that
   * the code asks for is delivered before all else.
   */
  readonly kept: Queue<Step> = new Queue();
  /** How many steps in both the code asks for. */
  askable = 0;
  /** How many ends of steps the node has told. */
  told = 0;
  /** How many of them were delivered or passed over. */
  passed = 0;
  /** How many ends the history had when the code began. */
  history = 0;
  /** Open steps of the journal that the code has not asked for. */
  unasked = 0;
  /** The code's time, in microseconds since 1970. */
  nowUs: number;
  /** Since when the next end in the queue is one that the code does not ask for. */
  stalledSince: number | undefined = undefined;
  /** Since when the run has nothing to do in this process. */
  restingSince: number | undefined = undefined;
  /** The node was told that the run rests, and not that it does no more. */
  idleTold = false;
  /** The node was told so before it was known that it had news: it may take the run for resting. */
  idleUnsure = false;
  isPaused = false;
  /** The runner stops: the run is given back as soon as it can be. */
  isDraining = false;
  /** Steps whose functions began since the run was last looked at. */
  fresh: Step[] = [];
  /** Functions that still run though their attempt has ended. */
  strays = 0;
  readonly outbox: Out[] = [];
  /** Changed orders that were told: nobody answers them, so each connection is told of all. */
  readonly orders: Out[] = [];
  lines: Line[] = [];
  finish: Outcome | undefined = undefined;
  /** The handler has ended by itself; and whether it was told that it asked for something after that. */
  hasReturned = false;
  isLateTold = false;
  /** The run is given out for its clean-up, whose steps have not begun. */
  cleanUp: CleanUp | undefined = undefined;
  /** Since when a handler that only replays was given nothing. */
  quietSince: number | undefined = undefined;
  blockCause: BlockCause | undefined = undefined;
  /** Calls the code; taken when it is called. */
  start: (() => void) | undefined = undefined;
  /** The host is about to look at the run. */
  isMarked = false;
  /** Random numbers that the handler drew. */
  draws = 0;
  /** How often the code has come to each named wait without an id of its own. */
  readonly namedWaits: Map<string, number> = new Map();
  /** The search attributes as the code sees them. */
  readonly search: Map<string, SearchValue>;
  /** What this process has set, and tells again on a new connection. */
  readonly searchSet: Map<string, SearchValue | null> = new Map();
  /** What is still to be told. */
  readonly searchTelling: Map<string, SearchValue | null> = new Map();

  constructor(info: Info, host: Host, terms: Terms, attached: Attached) {
    this.info = info;
    this.host = host;
    this.terms = terms;
    this.attached = attached;
    this.nowUs = info.createdAtUs;
    this.search = new Map(Object.entries(info.search ?? {}));
  }

  now(): number {
    return this.host.now();
  }

  date(): number {
    return this.host.date();
  }

  /** Adds a step. */
  add(step: Step): void {
    this.#byId.set(step.id, step);
    this.steps.push(step);
    const count = counted(step.state);
    if (count !== undefined) this.counts[count]++;
  }

  /** Finds a step by its id. */
  find(id: string): Step | undefined {
    return this.#byId.get(id);
  }

  /** Moves a step to another state: the only way in which one does. */
  set(step: Step, state: State): void {
    const was = counted(step.state);
    if (was !== undefined) this.counts[was]--;
    const is = counted(state);
    if (is !== undefined) this.counts[is]++;
    step.state = state;
  }

  /** How many steps are in flight. */
  inFlight(): number {
    const { running, telling, due, waiting, verifying } = this.counts;
    return running + telling + due + waiting + verifying;
  }

  /** Tells whether functions of steps are in progress. */
  isCalling(): boolean {
    return !this.isOver() && (this.counts.running > 0 || this.strays > 0);
  }

  /** Tells whether the code still goes where it went before (§2.3). */
  isReplaying(): boolean {
    return this.passed < this.history || this.unasked > 0;
  }

  /** Tells whether this process holds the run no more, or is about to let it go. */
  isOver(): boolean {
    return this.phase === "finished" || this.phase === "closed" || this.phase === "blocked";
  }

  /** Has the host look at the run. */
  mark(): void {
    if (!this.isMarked) {
      this.isMarked = true;
      this.host.mark(this);
    }
  }

  /** Blocks the run (§4.10). */
  block(cause: BlockCause): void {
    this.phase = "blocked";
    this.blockCause = cause;
    this.outbox.push({ what: "block" });
    this.mark();
  }
}
