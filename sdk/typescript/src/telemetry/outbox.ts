/** Sending in the background (§10.3): bounded, in batches, one request at a time. */

import { after, cancel, type Timer } from "../clock.js";
import { TelemetrySendError } from "../errors/telemetry.js";
import type { TelemetryStats } from "../types/telemetry.js";
import type { Event } from "./event.js";
import { forget, remember, type Unsent } from "./exit.js";
import { type Pause, pause } from "./pause.js";
import type { Answer, Body, Post } from "./post.js";
import { Queue } from "./queue.js";
import type { Reports } from "./reports.js";
import { type Sink, Tally } from "./sink.js";

/** What may wait to be sent, beside the one batch that is on its way. */
const BOUNDS = { events: 50_000, bytes: 16 * 1_024 * 1_024 } as const;

/** A batch, at most; small enough that writing one takes well below a millisecond. */
const BATCH_EVENTS = 1_000;
const BATCH_CHARACTERS = 256 * 1_024;

/** How long the first event waits for others, in milliseconds: longer where they come many, at so many a batch. */
const INTERVAL_MS = 200;
const MANY_INTERVAL_MS = 1_000;
const MANY_EVENTS = 50;

/** The pause after a failure, at first and at most, in milliseconds; and the longest that a server can ask for. */
const PAUSE_MS = 500;
const PAUSE_MS_MAX = 30_000;
const AFTER_MS_MAX = 300_000;

/** So often a batch is sent at which the server itself fails. One that is down or busy is waited for. */
const TRIES_MAX = 10;

/** How long the end of a process waits, in milliseconds; and so often a server is tried that is not there. */
const EXIT_MS = 5_000;
const EXIT_TRIES = 2;

const EXIT = "the process ends";

/** A batch on its way: it is kept until the server has answered for good. */
interface Batch {
  readonly events: number;
  readonly body: Promise<Body>;
  /** How many events had been taken when its first one was. */
  readonly from: number;
  tries: number;
}

/** Who waits for what there was at a moment to be gone. */
interface Waiting {
  readonly until: number;
  readonly resolve: (done: true) => void;
}

/** Sends what it is given in the background. Nothing comes back from it but counts and reports. */
export class Outbox implements Sink, Unsent {
  readonly #post: Post;
  readonly #reports: Reports;
  readonly #queue = new Queue<Event>(BOUNDS);
  readonly #tally = new Tally();
  /** Events that were put into the queue. */
  #put = 0;
  #batch: Batch | undefined;
  /** How many events the last batch had. */
  #lastEvents = 0;
  #timer: Timer | undefined;
  #isSending = false;
  #resting: Pause | undefined;
  #failures = 0;
  /** Events that the queue had no room for, and that nobody was told of. */
  #overflow = 0;
  #waiting: Waiting[] = [];
  #isExiting = false;
  #isClosed = false;

  constructor(post: Post, reports: Reports) {
    this.#post = post;
    this.#reports = reports;
  }

  take(event: Event): undefined {
    this.#tally.recorded();
    if (this.#isClosed) {
      this.#tally.dropped(1);
      return;
    }
    this.#put += 1;
    const dropped = this.#queue.add(event);
    if (this.#queue.count === 1) remember(this);
    if (dropped > 0) {
      this.#tally.dropped(dropped);
      this.#overflow += dropped;
    }
    if (this.#isSending) return;
    if (this.#timer === undefined) {
      this.#wait();
    } else if (this.#queue.count === BATCH_EVENTS) {
      this.#wake();
    }
  }

  refuse(why: string): undefined {
    this.#tally.recorded();
    this.#tally.dropped(1);
    this.#reports.once(why);
  }

  async flush(timeoutMs: number): Promise<boolean> {
    const lost = this.#tally.lost;
    const until = this.#put;
    if (this.#oldest >= until) return true;
    const deadline = pause(timeoutMs, "holds");
    let waiting: Waiting | undefined;
    const gone = new Promise<true>((resolve) => {
      waiting = { until, resolve };
      this.#waiting.push(waiting);
    });
    this.#resting?.end();
    if (!this.#isSending) this.#wake();
    const isDone = await Promise.race([gone, deadline.over]);
    deadline.end();
    this.#waiting = this.#waiting.filter((one) => one !== waiting);
    return isDone && this.#tally.lost === lost;
  }

  flushAtExit(): void {
    this.#isExiting = true;
    void this.flush(EXIT_MS).then((isSent) => {
      this.#isExiting = false;
      if (!isSent) this.#giveUp(EXIT);
    });
  }

  async close(timeoutMs: number): Promise<boolean> {
    const isSent = await this.flush(timeoutMs);
    this.#isClosed = true;
    this.#giveUp("the client is closed");
    this.#post.end();
    return isSent;
  }

  get stats(): TelemetryStats {
    return this.#tally.stats;
  }

  /** How many events had been put in before the oldest that is not gone. */
  get #oldest(): number {
    return this.#batch?.from ?? this.#put - this.#queue.count;
  }

  /** Sends after a while. Each request holds the program up a little: those of a busy one are fewer and larger. */
  #wait(): void {
    const ms = this.#lastEvents < MANY_EVENTS ? INTERVAL_MS : MANY_INTERVAL_MS;
    this.#timer = after(ms, () => void this.#run(), true);
  }

  #wake(): void {
    cancel(this.#timer);
    this.#timer = after(0, () => void this.#run(), true);
  }

  /** Nothing that goes wrong here is a rejection that nobody handles: that would end the program. */
  async #run(): Promise<void> {
    if (this.#isSending) return;
    try {
      await this.#send();
    } catch {
      this.#giveUp("they could not be written");
    }
    this.#isSending = false;
  }

  /** Sends batch after batch until there is little left, and pauses after each failure. */
  async #send(): Promise<void> {
    this.#isSending = true;
    this.#timer = undefined;
    do {
      const batch = this.#next();
      if (batch === undefined) break;
      const answer = await this.#post.send(await batch.body, "lets go");
      // It was given up meanwhile.
      if (batch !== this.#batch) continue;
      this.#settle(batch, answer);
      this.#tell();
      if (answer.kind === "failed") await this.#pause(answer);
    } while (this.#batch !== undefined || this.#isUrgent());
    if (this.#queue.count > 0) this.#wait();
    else forget(this);
  }

  /** Tells whether what is left is enough for another batch, or is waited for. */
  #isUrgent(): boolean {
    return this.#queue.count >= BATCH_EVENTS || this.#waiting.length > 0;
  }

  /** Returns the batch that is to be sent: the one that was not taken, else a new one. */
  #next(): Batch | undefined {
    if (this.#batch !== undefined || this.#queue.count === 0) return this.#batch;
    const from = this.#oldest;
    const events = this.#queue.take(BATCH_EVENTS, BATCH_CHARACTERS);
    this.#lastEvents = events.length;
    this.#batch = { events: events.length, body: this.#post.body(events), from, tries: 0 };
    return this.#batch;
  }

  #settle(batch: Batch, answer: Answer): void {
    const { events } = batch;
    if (answer.kind === "taken") {
      this.#failures = 0;
      this.#batch = undefined;
      const refused = Math.min(answer.refused, events);
      this.#tally.sent(events - refused);
      if (refused > 0) this.#lose(refused, `the server refused ${refused} of them: ${answer.why}`);
      return;
    }
    this.#failures += 1;
    const { status, why } = answer;
    // A server that is busy (429, 503) or away says nothing about the batch.
    if (status !== undefined && status !== 429 && status !== 503) batch.tries += 1;
    if (answer.again && batch.tries < TRIES_MAX) {
      this.#report(`${events} events were not sent yet: ${why}`, events, false, status);
      return;
    }
    this.#batch = undefined;
    this.#lose(events, why, status);
  }

  #lose(events: number, why: string, status?: number): void {
    this.#tally.dropped(events);
    this.#report(`${events} events are lost: ${why}`, events, true, status);
  }

  #report(text: string, events: number, isLost: boolean, status?: number): void {
    this.#reports.failed(new TelemetrySendError(text, { events, isLost, status }));
  }

  /** Tells who waits, and what did not fit. */
  #tell(): void {
    const oldest = this.#oldest;
    for (const one of this.#waiting) if (oldest >= one.until) one.resolve(true);
    this.#waiting = this.#waiting.filter((one) => oldest < one.until);
    if (this.#overflow === 0) return;
    const [events, why] = [this.#overflow, "more came than could be sent"];
    this.#overflow = 0;
    this.#report(`${events} events are lost: ${why}`, events, true);
  }

  async #pause({ status, afterMs }: Extract<Answer, { kind: "failed" }>): Promise<void> {
    const isAway = status === undefined && this.#failures >= EXIT_TRIES;
    if (isAway && this.#isExiting) return this.#giveUp(EXIT);
    const longest = Math.min(PAUSE_MS * 2 ** Math.min(this.#failures - 1, 16), PAUSE_MS_MAX);
    const asked = Math.min(afterMs ?? 0, AFTER_MS_MAX);
    this.#resting = pause(Math.max(asked, longest * (0.5 + Math.random() / 2)), "lets go");
    await this.#resting.over;
    this.#resting = undefined;
  }

  #giveUp(why: string): void {
    const events = (this.#batch?.events ?? 0) + this.#queue.clear();
    this.#batch = undefined;
    cancel(this.#timer);
    this.#timer = undefined;
    this.#resting?.end();
    forget(this);
    if (events > 0) this.#lose(events, why);
    this.#tell();
  }
}
