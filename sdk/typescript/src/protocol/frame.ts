/** Frames: JSON arrays of messages. */

import { noncesOf } from "./nonce.js";
import type { Activate, ToRunner } from "./to-runner.js";

/** Most characters of a frame that holds more than one message: 256 KiB, whatever they are. */
export const FRAME_CHARS: number = 85_000;

/**
 * Takes a frame apart. Nonces keep all their digits.
 *
 * @throws SyntaxError where it is no JSON, TypeError where it is no array of messages
 */
export function parseFrame(frame: string): readonly ToRunner[] {
  const messages: unknown = JSON.parse(frame);
  if (!isMessages(messages)) throw new TypeError("a frame is a JSON array of messages");
  let given = 0;
  for (const message of messages) if (message.activate !== undefined) given++;
  if (given === 0) return messages;
  const nonces = noncesOf(frame, given);
  let next = 0;
  return messages.map((message) => {
    if (message.activate === undefined) return message;
    const activate: Activate = { ...message.activate, nonce: nonces[next++] ?? "0" };
    return { activate };
  });
}

function isMessages(value: unknown): value is ToRunner[] {
  return Array.isArray(value) && value.every((one) => typeof one === "object" && one !== null);
}

/** Puts messages together to frames. */
export class FrameWriter {
  #messages: string[] = [];
  #chars = 0;
  #frames: string[] = [];

  /** Adds a message, which is JSON text. A frame that would get too large by it is closed before. */
  push(message: string): void {
    if (this.#chars > 0 && this.#chars + message.length > FRAME_CHARS) this.#close();
    this.#messages.push(message);
    this.#chars += message.length + 1;
  }

  /** Tells whether nothing waits. */
  isEmpty(): boolean {
    return this.#chars === 0 && this.#frames.length === 0;
  }

  /** Takes the frames that wait, in their order. */
  take(): string[] {
    if (this.#chars > 0) this.#close();
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#messages = [];
    this.#chars = 0;
    this.#frames = [];
  }

  #close(): void {
    this.#frames.push(`[${this.#messages.join(",")}]`);
    this.#messages = [];
    this.#chars = 0;
  }
}
