/** Sending each event by itself, and waiting for its answer (`throwOnSendError`, §10.3). */

import { TelemetrySendError } from "../errors/telemetry.js";
import type { TelemetryStats } from "../types/telemetry.js";
import type { Event } from "./event.js";
import { pause } from "./pause.js";
import type { Answer, Post } from "./post.js";
import type { Reports } from "./reports.js";
import { type Sink, Tally } from "./sink.js";

/** Pauses between tries, at most, in milliseconds. */
const PAUSES_MS = [100, 500] as const;

/** The longest pause that a server can ask for. */
const AFTER_MS_MAX = 2_000;

/** Sends events one by one. */
export class Awaited implements Sink {
  readonly #post: Post;
  readonly #reports: Reports;
  readonly #tally = new Tally();
  readonly #underway = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(post: Post, reports: Reports) {
    this.#post = post;
    this.#reports = reports;
  }

  take(event: Event): Promise<void> {
    this.#tally.recorded();
    const sending = this.#send(event);
    const settled: Promise<unknown> = sending
      .catch(() => undefined)
      .then(() => this.#underway.delete(settled));
    this.#underway.add(settled);
    return sending;
  }

  async refuse(why: string): Promise<void> {
    this.#tally.recorded();
    this.#lose(why);
  }

  async flush(timeoutMs: number): Promise<boolean> {
    const lost = this.#tally.lost;
    const all = Promise.all(this.#underway).then(() => this.#tally.lost === lost);
    const deadline = pause(timeoutMs, "holds");
    const isSent = await Promise.race([all, deadline.over]);
    deadline.end();
    return isSent;
  }

  async close(timeoutMs: number): Promise<boolean> {
    this.#isClosed = true;
    const isSent = await this.flush(timeoutMs);
    this.#post.end();
    return isSent;
  }

  get stats(): TelemetryStats {
    return this.#tally.stats;
  }

  async #send(event: Event): Promise<void> {
    const answer = this.#isClosed ? CLOSED : await this.#try(event);
    if (answer.kind === "taken" && answer.refused === 0) {
      this.#tally.sent(1);
      return;
    }
    const why = answer.why ?? "the server refused it";
    this.#lose(
      `the event was not sent: ${why}`,
      answer.kind === "failed" ? answer.status : undefined,
    );
  }

  #lose(why: string, status?: number): never {
    this.#tally.dropped(1);
    const error = new TelemetrySendError(why, { events: 1, isLost: true, status });
    this.#reports.failed(error);
    throw error;
  }

  async #try(event: Event): Promise<Answer> {
    const body = await this.#post.body([event]);
    for (const pauseMs of PAUSES_MS) {
      const answer = await this.#post.send(body, "holds");
      if (answer.kind === "taken" || !answer.again || this.#isClosed) return answer;
      const asked = Math.min(answer.afterMs ?? 0, AFTER_MS_MAX);
      await pause(Math.max(asked, pauseMs * (0.5 + Math.random() / 2)), "holds").over;
    }
    return await this.#post.send(body, "holds");
  }
}

const CLOSED: Answer = { kind: "failed", why: "the client is closed", again: false };
