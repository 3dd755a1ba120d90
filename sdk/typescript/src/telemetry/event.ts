/** An event, kept small until it is sent, and its text on the wire (§10.4). */

import { instantText } from "./instant.js";
import type { Taken } from "./metadata.js";

/** What an event costs beside its texts, about, in characters: ids, an instant, and the names of members. */
const CHARACTERS = 190;

/** What a run's events have in common. */
export interface Head {
  /** How the ids of its client begin. */
  readonly prefix: string;
  /** Its members as JSON; empty where what names it is not accepted. */
  readonly text: string;
  /** Why there is none. */
  readonly problem: string;
  /** Its metadata, until an event has taken it along. */
  metadata: Taken | undefined;
}

/** A call of a step that has begun. */
export interface Call {
  readonly head: Head;
  /** Its key as JSON. */
  readonly step: string;
  /** Its number in its client. */
  readonly number: number;
  readonly at: number;
}

/** What an event tells beside its call. */
export interface Said {
  readonly status: string;
  /** Its own number in its client. */
  readonly number: number;
  readonly at: number;
  /** It is of a call that has a beginning and an end. */
  readonly isOfCall: boolean;
  readonly metadata?: Taken | undefined;
  /** What was thrown, as JSON. */
  readonly error?: string | undefined;
}

/** An event. Its text is made as it is sent: at the call happens only what has to. */
export class Event {
  readonly #call: Call;
  readonly #said: Said;
  readonly #runMetadata: Taken | undefined;

  /** Takes the metadata of its run along, if that has not been sent. */
  constructor(call: Call, said: Said) {
    this.#call = call;
    this.#said = said;
    this.#runMetadata = call.head.metadata;
    call.head.metadata = undefined;
  }

  /** How many characters its text has, about. */
  get characters(): number {
    const { head, step } = this.#call;
    const { metadata, error } = this.#said;
    const own = (metadata?.characters ?? 0) + (error?.length ?? 0);
    return CHARACTERS + head.text.length + step.length + own + (this.#runMetadata?.characters ?? 0);
  }

  /** Returns its text. */
  text(): string {
    const { head, step, number } = this.#call;
    const { status, metadata, error, at, isOfCall } = this.#said;
    const { prefix } = head;
    const call = isOfCall ? `,"call":"${prefix}${number.toString(36)}"` : "";
    const own = metadata === undefined ? "" : `,"metadata":${metadata.text()}`;
    const thrown = error === undefined ? "" : `,"error":${error}`;
    const run = this.#runMetadata === undefined ? "" : `,"runMetadata":${this.#runMetadata.text()}`;
    return (
      `{"id":"${prefix}${this.#said.number.toString(36)}",${head.text},"step":${step}${call},` +
      `"status":"${status}","at":${instantText(at)}${own}${run}${thrown}}`
    );
  }
}
